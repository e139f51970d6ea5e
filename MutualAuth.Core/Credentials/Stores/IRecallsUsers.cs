namespace MutualAuth.Credentials;

/// <summary>A store of ours that may have the answer in memory, so that it can be asked on any thread.</summary>
internal interface IRecallsUsers
{
    /// <summary>What <see cref="ICredentialStore.FindAsync"/> would return now, where that needs nothing but memory.</summary>
    /// <returns>False when the store must be asked.</returns>
    bool TryRecall(string userName, out StoredCredential? found);
}
