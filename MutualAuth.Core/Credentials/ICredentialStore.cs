using System.Collections.Immutable;

namespace MutualAuth.Credentials;

/// <summary>A user as a store knows it.</summary>
/// <param name="UserName">The name, as SASLprep (RFC 4013) writes it.</param>
/// <param name="Verifiers">At most one for each hash.</param>
/// <param name="IsDisabled">A disabled user cannot log in, and cannot be told from one that does not exist.</param>
public sealed record StoredCredential(string UserName, ImmutableArray<ScramVerifier> Verifiers, bool IsDisabled = false)
{
    internal ScramVerifier? For(ScramHash hash) => Verifiers.FirstOrDefault(verifier => verifier.Hash == hash);

    internal StoredCredential With(ScramVerifier verifier) => this with { Verifiers = [.. Verifiers.Where(other => other.Hash != verifier.Hash), verifier] };
}

/// <summary>Finds the verifiers of users. It never holds a password.</summary>
/// <remarks>Implementations are safe for use from many threads. What they throw refuses the client and is logged.</remarks>
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
    /// <summary>Adds a user, or replaces its verifier for that hash. Whether it is disabled does not change; a new user is not.</summary>
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
