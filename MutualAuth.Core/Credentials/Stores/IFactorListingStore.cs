using System.Collections.Immutable;

namespace MutualAuth.Credentials;

/// <summary>A store that can list the second factors of all its users.</summary>
public interface IFactorListingStore : ISecondFactorStore
{
    /// <summary>
    /// All factors, by user and identifier octet by octet. It is for administration: everything is read into memory, secrets included.
    /// </summary>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<ImmutableArray<UserFactor>> ListFactorsAsync(CancellationToken cancellationToken = default);
}
