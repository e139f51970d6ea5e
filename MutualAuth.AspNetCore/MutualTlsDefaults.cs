namespace MutualAuth.AspNetCore;

/// <summary>Names that the authentication scheme uses.</summary>
public static class MutualTlsDefaults
{
    /// <summary>The name of the scheme, and the authentication type of the identity that it makes: <c>MutualTls</c>.</summary>
    public const string AuthenticationScheme = "MutualTls";
}
