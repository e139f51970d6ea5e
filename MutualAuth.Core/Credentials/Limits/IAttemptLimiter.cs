using System.Net;
using MutualAuth.Certificates;

namespace MutualAuth.Credentials;

/// <summary>One attempt to log in.</summary>
/// <param name="UserName">The name that is claimed, as SASLprep writes it; empty where the mechanism does not know one beforehand.</param>
/// <param name="Address">From where; null when the transport has no address.</param>
public sealed record LoginAttempt(string UserName, IPAddress? Address)
{
    /// <summary>The client's certificate, which was accepted; null when it showed none. Default: null.</summary>
    public Certificate? Certificate { get; init; }

    /// <summary>The SASL mechanism, such as <c>PLAIN</c>; null when it is not known. Default: null.</summary>
    public string? Mechanism { get; init; }
}

/// <summary>How an attempt ended.</summary>
public enum AttemptOutcome
{
    /// <summary>The credentials were right.</summary>
    Succeeded = 1,

    /// <summary>The credentials were wrong.</summary>
    Failed = 2,

    /// <summary>The client went away, or we did, before anything was proven either way.</summary>
    Abandoned = 3,
}

/// <summary>Slows down those who guess. Called for known and unknown users alike.</summary>
/// <remarks>
/// SCRAM and PLAIN ask twice: before they show a user's salt or derive a key, which ends as <see cref="AttemptOutcome.Abandoned"/> at once, and when there is something to judge. So half-finished
/// exchanges, of which strangers can hold many open, are no attempts that run.
/// Implementations are safe for use from many threads. One that throws refuses the client. For a fleet, keep the counts where all servers see them.</remarks>
public interface IAttemptLimiter
{
    /// <summary>Asks whether an attempt may be made now.</summary>
    /// <returns>Null when it may; else how long to wait.</returns>
    ValueTask<TimeSpan?> BeginAsync(LoginAttempt attempt, CancellationToken cancellationToken);

    /// <summary>Reports how an attempt that may be made has ended; called once for each.</summary>
    ValueTask EndAsync(LoginAttempt attempt, AttemptOutcome outcome);
}
