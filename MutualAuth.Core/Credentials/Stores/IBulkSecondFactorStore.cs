using System.Collections.Immutable;

namespace MutualAuth.Credentials;

/// <summary>A store of second factors that says of many users at once which they have.</summary>
/// <remarks>A store without it is asked about one user after the other.</remarks>
public interface IBulkSecondFactorStore : ISecondFactorStore
{
    /// <summary>The identifiers of the factors of users.</summary>
    /// <param name="userNames">The names, as SASLprep writes them, each once; there may be a hundred thousand.</param>
    /// <param name="cancellationToken">Cancelled after 30 seconds.</param>
    /// <returns>For each user that has one, the <see cref="StoredFactor.Id"/>s.</returns>
    ValueTask<IReadOnlyDictionary<string, ImmutableArray<string>>> FindFactorIdsAsync(
        IReadOnlyCollection<string> userNames, CancellationToken cancellationToken);
}
