namespace MutualAuth.Credentials;

/// <summary>The mechanisms that are no guesses: certificates and signed tokens cannot be tried out.</summary>
internal static class SaslMechanismNames
{
    internal const string External = "EXTERNAL";
    internal const string OAuthBearer = "OAUTHBEARER";

    internal static bool CanBeGuessed(string? mechanism) => mechanism is not (External or OAuthBearer);
}
