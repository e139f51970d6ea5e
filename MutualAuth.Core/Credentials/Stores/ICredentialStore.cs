namespace MutualAuth.Credentials;

/// <summary>Finds the verifiers of users. It never holds a password.</summary>
/// <remarks>
/// Implementations are safe for use from many threads. What they throw refuses the client and is logged. They may hold the thread that calls them: it is none
/// of the pool, there are <see cref="CredentialPolicy.MaxConcurrentChecks"/> of them, and the client's deadline does not wait for them.
/// </remarks>
public interface ICredentialStore
{
    /// <summary>Looks one user up.</summary>
    /// <param name="userName">The name, as SASLprep writes it; it is compared octet by octet.</param>
    /// <param name="cancellationToken">The client's time is over.</param>
    /// <returns>Null when there is no such user.</returns>
    ValueTask<StoredCredential?> FindAsync(string userName, CancellationToken cancellationToken);
}
