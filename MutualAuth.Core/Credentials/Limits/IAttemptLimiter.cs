namespace MutualAuth.Credentials;

/// <summary>Slows password guessing down. Called for known and unknown users alike.</summary>
/// <remarks>
/// SCRAM and PLAIN ask twice: before they show a user's salt or derive a key, which ends as <see cref="AttemptOutcome.Abandoned"/> at once,
/// and when there is something to judge. So incomplete exchanges, of which unauthenticated clients can hold many open, are not running
/// attempts. Implementations must be safe for use from many threads. If one throws, the client is rejected. For a fleet, keep the counts
/// where all servers see them.</remarks>
public interface IAttemptLimiter
{
    /// <summary>Asks whether an attempt may be made now.</summary>
    /// <returns>Null when it may; otherwise how long to wait.</returns>
    ValueTask<TimeSpan?> BeginAsync(LoginAttempt attempt, CancellationToken cancellationToken);

    /// <summary>
    /// Reports how an attempt that may be made has ended; called once for each, also after the login was given up. The login waits for it until its
    /// deadline, and is refused where it does not come back.
    /// </summary>
    ValueTask EndAsync(LoginAttempt attempt, AttemptOutcome outcome);
}
