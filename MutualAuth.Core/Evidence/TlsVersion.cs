using System.Security.Authentication;

namespace MutualAuth;

/// <summary>A TLS version that this library supports; the numbers are those on the wire.</summary>
public enum TlsVersion
{
    /// <summary>TLS 1.2 (RFC 5246).</summary>
    Tls12 = 0x0303,

    /// <summary>TLS 1.3 (RFC 8446).</summary>
    Tls13 = 0x0304,
}

internal static class TlsVersions
{
    internal static string ToText(this TlsVersion version) => version == TlsVersion.Tls13 ? "1.3" : "1.2";

    internal static SslProtocols UpTo(this TlsVersion minimum, TlsVersion maximum) =>
        (minimum == TlsVersion.Tls12 ? SslProtocols.Tls12 : SslProtocols.None)
            | (maximum == TlsVersion.Tls13 ? SslProtocols.Tls13 : SslProtocols.None);
}
