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

/// <summary>A store that keeps, beside its users, how often in a row logging in as each of them has failed, so that it outlives the
/// process.</summary>
/// <remarks>
/// NIST SP 800-63B §5.2.2 asks for a bound on it; <see cref="CredentialPolicy.MaxConsecutiveFailures"/> has ours. Where several processes share what
/// is kept, a
/// failure is added in one step that another does not divide. Implementations are safe for use from many threads. One that throws is logged once
/// (event 1308),
/// and failures are counted in the process alone until it works again.
/// </remarks>
public interface IFailureCountingStore : ICredentialStore
{
    /// <summary>How many times in a row logging in has failed.</summary>
    /// <param name="userName">The name, as SASLprep writes it; it is compared octet by octet.</param>
    /// <param name="cancellationToken">The client's time is over.</param>
    /// <returns>Null when there is no such user.</returns>
    ValueTask<int?> FindFailuresAsync(string userName, CancellationToken cancellationToken = default);

    /// <summary>Adds one failure, unless there are <paramref name="limit"/> or more of them. Then, and where there is no such user, nothing is
    /// written.</summary>
    /// <param name="userName">The name, as SASLprep writes it; it is compared octet by octet.</param>
    /// <param name="limit">From how many on none is added; 1 at least.</param>
    /// <param name="cancellationToken">The client's time is over.</param>
    /// <returns>How many there were before this one; null when there is no such user.</returns>
    ValueTask<int?> AddFailureAsync(string userName, int limit, CancellationToken cancellationToken = default);

    /// <summary>Forgets the failures: the user has logged in, or an operator lets the user try again.</summary>
    /// <param name="userName">The name, in any form; it is brought into that of <see cref="UserNames.Prepare"/>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>False when there is no such user.</returns>
    /// <exception cref="ArgumentException"><paramref name="userName"/> is no name for a user.</exception>
    ValueTask<bool> ClearFailuresAsync(string userName, CancellationToken cancellationToken = default);
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
