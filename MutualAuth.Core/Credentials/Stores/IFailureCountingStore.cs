namespace MutualAuth.Credentials;

/// <summary>A store that keeps, beside its users, how often in a row logging in as each of them has failed, so that it outlives the
/// process.</summary>
/// <remarks>
/// NIST SP 800-63B §5.2.2 asks for a bound on it; <see cref="CredentialPolicy.MaxConsecutiveFailures"/> has ours. Where several processes share what
/// is kept, a
/// failure is added in one step that another does not divide. Implementations are safe for use from many threads. One that throws is logged once
/// (event 1308),
/// and failures are counted in the process alone until it works again.
/// </remarks>
public interface IFailureCountingStore : ICredentialStore
{
    /// <summary>How many times in a row logging in has failed.</summary>
    /// <param name="userName">The name, as SASLprep writes it; it is compared octet by octet.</param>
    /// <param name="cancellationToken">The client's time is over.</param>
    /// <returns>Null when there is no such user.</returns>
    ValueTask<int?> FindFailuresAsync(string userName, CancellationToken cancellationToken = default);

    /// <summary>Adds one failure, unless there are <paramref name="limit"/> or more of them. Then, and where there is no such user, nothing is
    /// written.</summary>
    /// <param name="userName">The name, as SASLprep writes it; it is compared octet by octet.</param>
    /// <param name="limit">From how many on none is added; 1 at least.</param>
    /// <param name="cancellationToken">The client's time is over.</param>
    /// <returns>How many there were before this one; null when there is no such user.</returns>
    ValueTask<int?> AddFailureAsync(string userName, int limit, CancellationToken cancellationToken = default);

    /// <summary>Forgets the failures: the user has logged in, or an operator lets the user try again.</summary>
    /// <param name="userName">The name, in any form; it is brought into that of <see cref="UserNames.Prepare"/>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>False when there is no such user.</returns>
    /// <exception cref="ArgumentException"><paramref name="userName"/> is no name for a user.</exception>
    ValueTask<bool> ClearFailuresAsync(string userName, CancellationToken cancellationToken = default);
}
