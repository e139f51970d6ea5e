namespace MutualAuth.Credentials;

/// <summary>How it stands with the file of a <see cref="FileCredentialStore"/>, for a health check.</summary>
/// <param name="LetsUsersIn">Whether users can log in: false once the file could not be read for <see cref="FileCredentialStoreOptions.MaxUnreadable"/>.</param>
/// <param name="Problem">Why the file could not be read at the last look; null when it could. It names the file and holds nothing of its content.</param>
/// <param name="GoodAt">When the file could be read last.</param>
/// <param name="CanOthersRead">Whether others can read it who need not (Unix): everybody on the machine, or its group although this process is its
/// owner. Who has verifiers can try passwords against them.</param>
public sealed record CredentialFileHealth(bool LetsUsersIn, string? Problem, DateTimeOffset GoodAt, bool CanOthersRead);
