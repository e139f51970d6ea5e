namespace MutualAuth.Credentials;

/// <summary>Where the keys come from with which the data of second factors are encrypted: one that writes, and any number that read.</summary>
/// <remarks>
/// <see cref="FactorKeys"/> holds them, <see cref="FactorKeyFile"/> reads them from a file, and <see cref="FetchedFactorKeys"/> asks a key management
/// service. Implementations must be safe for use from many threads. An exception refuses the login that needs the key.
/// </remarks>
public interface IFactorKeySource
{
    /// <summary>The key with which data are encrypted from now on.</summary>
    /// <param name="cancellationToken">Cancelled at the client's deadline.</param>
    ValueTask<FactorKey> FindCurrentAsync(CancellationToken cancellationToken = default);

    /// <summary>The key of this name; null when there is none.</summary>
    /// <param name="keyId"><see cref="FactorKey.Id"/>, as the store has it: it may be any text of that form.</param>
    /// <param name="cancellationToken">Cancelled at the client's deadline.</param>
    ValueTask<FactorKey?> FindAsync(string keyId, CancellationToken cancellationToken = default);
}
