namespace MutualAuth.Credentials;

/// <summary>A second factor and the user that it belongs to, as administration lists them.</summary>
/// <param name="UserName">The user, as SASLprep writes the name.</param>
/// <param name="Factor">The factor.</param>
public sealed record UserFactor(string UserName, StoredFactor Factor);
