namespace MutualAuth.Credentials;

/// <summary>Finds the verifiers of users. It never holds a password.</summary>
/// <remarks>
/// Implementations must be safe for use from many threads. An exception rejects the client and is logged. They may block the thread that
/// calls them: it is not a pool thread, there are <see cref="CredentialPolicy.MaxConcurrentChecks"/> of them, and the client's deadline
/// does not wait for them.
/// </remarks>
public interface ICredentialStore
{
    /// <summary>Looks one user up.</summary>
    /// <param name="userName">The name, as SASLprep writes it; it is compared octet by octet.</param>
    /// <param name="cancellationToken">Cancelled at the client's deadline.</param>
    /// <returns>Null when there is no such user.</returns>
    ValueTask<StoredCredential?> FindAsync(string userName, CancellationToken cancellationToken);
}

/// <summary>A store of ours that may have the answer in memory, so that it can be asked on any thread.</summary>
internal interface IRecallsUsers
{
    /// <summary>What <see cref="ICredentialStore.FindAsync"/> would return now, where that needs nothing but memory.</summary>
    /// <returns>False when the store must be asked.</returns>
    bool TryRecall(string userName, out StoredCredential? found);
}
