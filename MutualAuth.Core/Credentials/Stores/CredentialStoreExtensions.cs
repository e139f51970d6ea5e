using System.Collections.Immutable;

namespace MutualAuth.Credentials;

/// <summary>What every store whose users can be changed can do besides.</summary>
public static class CredentialStoreExtensions
{
    /// <summary>
    /// Gives a user a password, in one step: from then on it alone counts, whatever hash a client chooses. Adds the user if there is none.
    /// </summary>
    /// <remarks>
    /// The verifiers are derived first, each with a fresh salt, and then take the place of all that the user had by
    /// <see cref="IWritableCredentialStore.ReplaceVerifiersAsync"/>. Whether the user is disabled does not change.
    /// </remarks>
    /// <param name="store">The store.</param>
    /// <param name="userName">The user, in any form; it is brought into that of <see cref="UserNames.Prepare"/>.</param>
    /// <param name="password">The password; it stays the caller's.</param>
    /// <param name="hashes">
    /// The hashes for which there shall be a verifier, one at least. Null means all that there are, so that the user can log in wherever
    /// one of them is offered.
    /// </param>
    /// <param name="iterations">The iteration count for each hash; null means <see cref="ScramHash.DefaultIterations"/> of each.</param>
    /// <param name="cancellationToken">Gives up; nothing has changed then, unless it came during the last step.</param>
    /// <exception cref="ArgumentNullException"><paramref name="store"/> or <paramref name="password"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="userName"/> is no name for a user, or there is no hash.</exception>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="iterations"/> is below <see cref="ScramVerifier.MinIterations"/> or above <see cref="ScramVerifier.MaxIterations"/>.
    /// </exception>
    public static async ValueTask SetPasswordAsync(
        this IWritableCredentialStore store,
        string userName,
        Password password,
        IEnumerable<ScramHash>? hashes = null,
        int? iterations = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(password);
        ImmutableArray<ScramHash> all = [.. hashes?.Distinct() ?? [ScramHash.Sha512, ScramHash.Sha256]];
        if (all.IsEmpty)
        {
            throw new ArgumentException("Expected at least one hash, got none: a user without a verifier cannot log in.", nameof(hashes));
        }

        var name = UserNames.Prepare(userName);

        // Some hundreds of milliseconds for each hash: not on the caller's thread.
        var verifiers = await Task.Run(
            () => all.Select(hash => ScramVerifier.Create(password, hash, iterations ?? hash.DefaultIterations)).ToImmutableArray(),
            cancellationToken).ConfigureAwait(false);
        await store.ReplaceVerifiersAsync(name, verifiers, cancellationToken).ConfigureAwait(false);
    }
}
