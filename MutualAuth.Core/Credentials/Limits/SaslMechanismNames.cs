namespace MutualAuth.Credentials;

/// <summary>The mechanisms whose credentials cannot be guessed: certificates, signed tokens, tickets and reconnect credentials.</summary>
internal static class SaslMechanismNames
{
    internal const string External = "EXTERNAL";
    internal const string OAuthBearer = "OAUTHBEARER";
    internal const string Gssapi = "GSSAPI";
    internal const string Reconnect = "RECONNECT-PLUS";

    internal static bool CanBeGuessed(string? mechanism) => mechanism is not (External or OAuthBearer or Gssapi or Reconnect);
}
