namespace MutualAuth.Credentials;

/// <summary>The mechanisms whose credentials cannot be guessed: certificates and signed tokens.</summary>
internal static class SaslMechanismNames
{
    internal const string External = "EXTERNAL";
    internal const string OAuthBearer = "OAUTHBEARER";

    internal static bool CanBeGuessed(string? mechanism) => mechanism is not (External or OAuthBearer);
}
