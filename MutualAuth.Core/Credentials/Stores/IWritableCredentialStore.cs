using System.Collections.Immutable;

namespace MutualAuth.Credentials;

/// <summary>A store whose users can be changed.</summary>
public interface IWritableCredentialStore : ICredentialStore
{
    /// <summary>
    /// Puts these verifiers in the place of all that a user has, in one step that a crash or another writer does not divide. Adds the user
    /// if there is none.
    /// </summary>
    /// <remarks>
    /// <see cref="CredentialStoreExtensions.SetPasswordAsync"/> is the call for a new password. Whether the user is disabled does not
    /// change; a new user is not.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// <paramref name="userName"/> is no name for a user, or <paramref name="verifiers"/> is empty or has two for one hash.
    /// </exception>
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
