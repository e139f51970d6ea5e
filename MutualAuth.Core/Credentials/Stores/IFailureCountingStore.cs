namespace MutualAuth.Credentials;

/// <summary>A store that keeps the consecutive failed logins of each user, so that the count outlives the process.</summary>
/// <remarks>
/// NIST SP 800-63B-4 §3.2.2 asks for a bound on it; <see cref="CredentialPolicy.MaxConsecutiveFailures"/> has ours. If several processes
/// share the store, a failure must be added atomically. Implementations must be safe for use from many threads. An exception is logged once
/// (event 1308), and failures are counted in the process only until the store works again.
/// </remarks>
public interface IFailureCountingStore : ICredentialStore
{
    /// <summary>How many times in a row logging in has failed.</summary>
    /// <param name="userName">The name, as SASLprep writes it; it is compared octet by octet.</param>
    /// <param name="cancellationToken">Cancelled at the client's deadline.</param>
    /// <returns>Null when there is no such user.</returns>
    ValueTask<int?> FindFailuresAsync(string userName, CancellationToken cancellationToken = default);

    /// <summary>
    /// Adds one failure, unless there are <paramref name="limit"/> or more of them. Then, and if there is no such user, nothing is written.
    /// </summary>
    /// <param name="userName">The name, as SASLprep writes it; it is compared octet by octet.</param>
    /// <param name="limit">From how many on none is added; 1 at least.</param>
    /// <param name="cancellationToken">Cancelled at the client's deadline.</param>
    /// <returns>How many there were before this one; null when there is no such user.</returns>
    ValueTask<int?> AddFailureAsync(string userName, int limit, CancellationToken cancellationToken = default);

    /// <summary>Clears the failures: the user has logged in, or an operator allows new attempts.</summary>
    /// <param name="userName">The name, in any form; it is brought into that of <see cref="UserNames.Prepare"/>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>False when there is no such user.</returns>
    /// <exception cref="ArgumentException"><paramref name="userName"/> is no name for a user.</exception>
    ValueTask<bool> ClearFailuresAsync(string userName, CancellationToken cancellationToken = default);
}
