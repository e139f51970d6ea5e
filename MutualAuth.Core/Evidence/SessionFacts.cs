using System.Net.Security;

namespace MutualAuth;

/// <summary>The parameters that the two sides agreed on for this TLS session.</summary>
/// <param name="TlsVersion">The TLS version.</param>
/// <param name="CipherSuite">The cipher suite.</param>
/// <param name="ApplicationProtocol">
/// The application protocol (RFC 7301) without the confirmation protocol's prefix; null when none was agreed.
/// </param>
/// <param name="ServerName">The server name that the client sent (RFC 6066 §3); null when it sent none.</param>
public sealed record SessionFacts(TlsVersion TlsVersion, TlsCipherSuite CipherSuite, string? ApplicationProtocol, string? ServerName)
{
    /// <summary>
    /// On a client: whether the server asked for our certificate (RFC 8446 §4.3.2), which it must in order to authenticate us. Null on a
    /// server, and on a client that has no certificate to present.
    /// </summary>
    public bool? OwnCertificateRequested { get; init; }
}
