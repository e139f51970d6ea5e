using System.Collections.Immutable;

namespace MutualAuth.Credentials;

/// <summary>Keeps the second factors of users, beside their verifiers or elsewhere.</summary>
/// <remarks>
/// A user need not have a verifier in the same store: a directory may check the password. Names are compared octet by octet, as SASLprep writes
/// them. Implementations must be safe for use from many threads, and from many processes where they share what they keep. They may block the
/// thread that calls them, as <see cref="ICredentialStore"/> may.
/// </remarks>
public interface ISecondFactorStore
{
    /// <summary>All factors of a user, by identifier; empty when there is none.</summary>
    /// <param name="userName">The name, as SASLprep writes it.</param>
    /// <param name="cancellationToken">Cancelled at the client's deadline.</param>
    ValueTask<ImmutableArray<StoredFactor>> FindFactorsAsync(string userName, CancellationToken cancellationToken = default);

    /// <summary>Adds a factor, or takes the place of the one with the same identifier.</summary>
    /// <param name="userName">The user, in any form; it is brought into that of <see cref="UserNames.Prepare"/>.</param>
    /// <param name="factor">The factor.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException"><paramref name="userName"/> is no name for a user.</exception>
    ValueTask SetFactorAsync(string userName, StoredFactor factor, CancellationToken cancellationToken = default);

    /// <summary>
    /// Puts <paramref name="after"/> in the place of <paramref name="before"/> if the store still has exactly that one, in one step that another
    /// writer, in this process or another, does not divide. That a code is used once rests on it.
    /// </summary>
    /// <param name="userName">The name, as SASLprep writes it.</param>
    /// <param name="before">What was read.</param>
    /// <param name="after">What to keep, with the same identifier.</param>
    /// <param name="cancellationToken">Cancelled at the client's deadline.</param>
    /// <returns>False when the factor is gone, or was changed in between; nothing is written then.</returns>
    ValueTask<bool> TryReplaceFactorAsync(
        string userName, StoredFactor before, StoredFactor after, CancellationToken cancellationToken = default);

    /// <summary>Removes a factor. Live connections that relied on it are no longer valid.</summary>
    /// <param name="userName">The user, in any form; it is brought into that of <see cref="UserNames.Prepare"/>.</param>
    /// <param name="factorId">Its identifier.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>False when there was none.</returns>
    /// <exception cref="ArgumentException"><paramref name="userName"/> is no name for a user.</exception>
    ValueTask<bool> RemoveFactorAsync(string userName, string factorId, CancellationToken cancellationToken = default);
}
