using System.Collections.Immutable;

namespace MutualAuth.Credentials;

/// <summary>A store that looks many users up at once: it is asked about all users of open connections in one call.</summary>
/// <remarks>A store without it is asked about one user after the other.</remarks>
public interface IBulkCredentialStore : ICredentialStore
{
    /// <summary>Looks users up.</summary>
    /// <param name="userNames">The names, as SASLprep writes them, each once; there may be a hundred thousand.</param>
    /// <param name="cancellationToken">Cancelled after 30 seconds.</param>
    /// <returns>
    /// Those that exist, disabled ones too, in any order. A user of whom a verifier cannot be read is given without that verifier, so that it
    /// does not hide the others.
    /// </returns>
    ValueTask<ImmutableArray<StoredCredential>> FindManyAsync(IReadOnlyCollection<string> userNames, CancellationToken cancellationToken);
}
