using System.Net.Security;

namespace MutualAuth;

/// <summary>The parameters that the two sides agreed on for this TLS session.</summary>
public sealed record SessionFacts
{
    /// <summary>Makes the facts of a session.</summary>
    /// <param name="tlsVersion">The TLS version.</param>
    /// <param name="cipherSuite">The cipher suite.</param>
    /// <param name="applicationProtocol">The application protocol (RFC 7301) without the confirmation protocol's prefix;
    /// null when none was agreed.</param>
    /// <param name="serverName">The server name that the client sent (RFC 6066 §3); null when it sent none.</param>
    public SessionFacts(TlsVersion tlsVersion, TlsCipherSuite cipherSuite, string? applicationProtocol, string? serverName)
    {
        TlsVersion = tlsVersion;
        CipherSuite = cipherSuite;
        ApplicationProtocol = applicationProtocol;
        ServerName = serverName;
    }

    /// <summary>The TLS version.</summary>
    public TlsVersion TlsVersion { get; init; }

    /// <summary>The cipher suite.</summary>
    public TlsCipherSuite CipherSuite { get; init; }

    /// <summary>The application protocol (RFC 7301) without the confirmation protocol's prefix; null when none was agreed.</summary>
    public string? ApplicationProtocol { get; init; }

    /// <summary>The server name that the client sent (RFC 6066 §3); null when it sent none.</summary>
    public string? ServerName { get; init; }

    /// <summary>
    /// The group by which keys were exchanged, read from the server's first flight; null where no named group took part: RSA key transport, or a
    /// finite field of the server's own, both TLS 1.2 and only with foreign servers.
    /// </summary>
    public KeyExchangeGroup? KeyExchangeGroup { get; init; }

    /// <summary>
    /// On a client: whether the server asked for our certificate (RFC 8446 §4.3.2), which it must in order to authenticate us. Null on a
    /// server, and on a client that has no certificate to present.
    /// </summary>
    public bool? OwnCertificateRequested { get; init; }
}
