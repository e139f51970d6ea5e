using System.Collections.Immutable;

namespace MutualAuth;

/// <summary>What a client asks for in its first message (RFC 8446 §4.1.2), read before anything is spent on it.</summary>
/// <remarks>Immutable. Everything in it comes from an unauthenticated client: use it for selection, never for trust.</remarks>
public sealed class ClientHello
{
    internal const int Tls12 = 0x0303;
    internal const int Tls13 = 0x0304;

    internal ClientHello(string? serverName, ImmutableArray<string> applicationProtocols, ImmutableArray<int> versions)
    {
        ServerName = serverName;
        ApplicationProtocols = applicationProtocols;
        Versions = versions;
    }

    /// <summary>The name of the server that the client wants, lower-case (RFC 6066 §3); null when it sent none.</summary>
    public string? ServerName { get; }

    /// <summary>The application protocols that the client offers, its favourite first (RFC 7301); empty when it sent none.</summary>
    /// <remarks>One character per octet (ISO 8859-1), so that any protocol id has a text form.</remarks>
    public ImmutableArray<string> ApplicationProtocols { get; }

    /// <summary>
    /// The TLS versions that the client offers, as on the wire: 0x0303 is TLS 1.2, 0x0304 is TLS 1.3. Reserved values (RFC 8701) are left out.
    /// </summary>
    public ImmutableArray<int> Versions { get; }

    /// <summary>
    /// The groups that the client offers for the key exchange, its favourite first (RFC 8446 §4.2.7); empty when it names none. Reserved values
    /// (RFC 8701) are left out.
    /// </summary>
    public ImmutableArray<KeyExchangeGroup> KeyExchangeGroups { get; internal init; } = [];
}
