using System.Collections.Immutable;

namespace MutualAuth.Credentials;

/// <summary>A user as a store knows it.</summary>
/// <param name="UserName">The name, as SASLprep (RFC 4013) writes it.</param>
/// <param name="Verifiers">At most one for each hash.</param>
/// <param name="IsDisabled">A disabled user cannot log in, and cannot be told from one that does not exist.</param>
public sealed record StoredCredential(string UserName, ImmutableArray<ScramVerifier> Verifiers, bool IsDisabled = false)
{
    internal ScramVerifier? For(ScramHash hash) => Verifiers.FirstOrDefault(verifier => verifier.Hash == hash);

    /// <exception cref="ArgumentException">There is no verifier, or there are two for one hash.</exception>
    internal static StoredCredential Of(string name, ImmutableArray<ScramVerifier> verifiers) => !verifiers.IsDefaultOrEmpty && verifiers.DistinctBy(verifier => verifier.Hash).Count() == verifiers.Length
        ? new StoredCredential(name, verifiers)
        : throw new ArgumentException("Expected one verifier for each hash, and one at least; got none, or two for one hash.", nameof(verifiers));

    internal StoredCredential With(ScramVerifier verifier) => this with { Verifiers = [.. Verifiers.Where(other => other.Hash != verifier.Hash), verifier] };
}

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

/// <summary>A store whose users can be changed.</summary>
public interface IWritableCredentialStore : ICredentialStore
{
    /// <summary>Puts these verifiers in the place of all that a user has, in one step that a crash or another writer does not divide. Adds the user if there is none.</summary>
    /// <remarks><see cref="CredentialStoreExtensions.SetPasswordAsync"/> is the call for a new password. Whether the user is disabled does not change; a new user is not.</remarks>
    /// <exception cref="ArgumentException"><paramref name="userName"/> is no name for a user, or <paramref name="verifiers"/> is empty or has two for one hash.</exception>
    ValueTask ReplaceVerifiersAsync(string userName, ImmutableArray<ScramVerifier> verifiers, CancellationToken cancellationToken = default);

    /// <summary>Adds a user, or replaces its verifier for that hash alone. Whether it is disabled does not change; a new user is not.</summary>
    /// <remarks>
    /// Verifiers for other hashes stay, and with them the password that they were made of: for a new password use
    /// <see cref="CredentialStoreExtensions.SetPasswordAsync"/>. This is for what another system derived, as PostgreSQL does.
    /// </remarks>
    /// <exception cref="ArgumentException"><paramref name="userName"/> is no name for a user; see <see cref="UserNames.Prepare"/>.</exception>
    ValueTask SetAsync(string userName, ScramVerifier verifier, CancellationToken cancellationToken = default);

    /// <summary>Disables a user, or enables it again.</summary>
    /// <returns>False when there is no such user.</returns>
    ValueTask<bool> SetDisabledAsync(string userName, bool isDisabled, CancellationToken cancellationToken = default);

    /// <summary>Removes a user with all its verifiers.</summary>
    /// <returns>False when there was no such user.</returns>
    ValueTask<bool> RemoveAsync(string userName, CancellationToken cancellationToken = default);

    /// <summary>All users, disabled ones too, by name octet by octet. It is for administration: everything is read into memory.</summary>
    ValueTask<ImmutableArray<StoredCredential>> ListAsync(CancellationToken cancellationToken = default);
}
