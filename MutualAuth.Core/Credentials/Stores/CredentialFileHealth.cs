namespace MutualAuth.Credentials;

/// <summary>The state of the file of a <see cref="FileCredentialStore"/>, for a health check.</summary>
/// <param name="LetsUsersIn">
/// Whether users can log in: false once the file could not be read for <see cref="FileCredentialStoreOptions.MaxUnreadable"/>.
/// </param>
/// <param name="Problem">
/// Why the file could not be read at the last look; null when it could. It names the file and holds nothing of its content.
/// </param>
/// <param name="GoodAt">When the file could be read last.</param>
/// <param name="CanOthersRead">
/// Whether accounts that need not read the file can (Unix): every account on the machine, or its group although this process is its owner.
/// Passwords can be tested against verifiers offline.
/// </param>
public sealed record CredentialFileHealth(bool LetsUsersIn, string? Problem, DateTimeOffset GoodAt, bool CanOthersRead);
