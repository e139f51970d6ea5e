using System.Collections.Immutable;
using System.Net.Security;
using MutualAuth.Hello;

namespace MutualAuth.Platforms;

/// <summary>What a server's first flight says in the clear: its hello, and in TLS 1.2 its key exchange and whom it asks for a certificate.</summary>
/// <param name="Version">The version that it chose.</param>
/// <param name="Suite">The suite that it chose.</param>
/// <param name="Group">The group; null where none takes part.</param>
internal sealed record ServerFlight(int Version, int Suite, int? Group)
{
    private const byte ServerHello = 2;
    private const byte ServerKeyExchange = 12;
    private const byte CertificateRequest = 13;
    private const int VersionsExtension = 43;
    private const int KeyShareExtension = 51;
    private const int SignaturesExtension = 13;
    private const byte NamedCurve = 3;

    /// <summary>Its part of the key exchange (TLS 1.3); empty where it only asks for another hello.</summary>
    internal ReadOnlyMemory<byte> Key { get; private init; }

    /// <summary>With what it signed its key exchange (TLS 1.2).</summary>
    internal int? Signature { get; private init; }

    /// <summary>The signatures that it takes of clients; default where it asks for no certificate.</summary>
    internal ImmutableArray<int> Schemes { get; private init; }

    /// <summary>Null when it is an alert, nothing, or not what a server says.</summary>
    internal static ServerFlight? Read(ReadOnlySpan<byte> octets)
    {
        ServerFlight? flight = null;
        foreach (var (type, body) in TlsMessages.In(octets))
        {
            flight = type switch
            {
                ServerHello when flight is null => ReadHello(body),
                ServerKeyExchange when flight is not null => flight.WithKeyExchange(body),
                CertificateRequest when flight is not null => flight with { Schemes = OfTls12(body) },
                _ => flight,
            };
        }

        return flight;
    }

    /// <summary>The signatures in a CertificateRequest of TLS 1.3 (RFC 8446 §4.3.2).</summary>
    internal static ImmutableArray<int> OfTls13(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        if (reader.TryReadVector8(out _) && reader.TryReadVector16(out var block))
        {
            var extensions = new WireReader(block);
            while (extensions.TryReadUInt16(out var type) && extensions.TryReadVector16(out var data))
            {
                if (type == SignaturesExtension && new WireReader(data).TryReadVector16(out var list))
                {
                    return [.. TlsMessages.Numbers(list)];
                }
            }
        }

        return default;
    }

    // The types of certificates, then the pairs of hash and signature (RFC 5246 §7.4.4).
    private static ImmutableArray<int> OfTls12(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        return reader.TryReadVector8(out _) && reader.TryReadVector16(out var list) ? [.. TlsMessages.Numbers(list)] : default;
    }

    private static ServerFlight? ReadHello(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        if (!reader.TryReadUInt16(out var version)
            || !reader.TryRead(32, out _)
            || !reader.TryReadVector8(out _)
            || !reader.TryReadUInt16(out var suite)
            || !reader.TryRead(1, out _))
        {
            return null;
        }

        int? group = null;
        byte[] key = [];
        if (reader.TryReadVector16(out var block))
        {
            var extensions = new WireReader(block);
            while (extensions.TryReadUInt16(out var type) && extensions.TryReadVector16(out var data))
            {
                var content = new WireReader(data);
                if (type == VersionsExtension && content.TryReadUInt16(out var chosen))
                {
                    version = chosen;
                }
                else if (type == KeyShareExtension && content.TryReadUInt16(out var number))
                {
                    group = number;
                    key = content.TryReadVector16(out var share) ? share.ToArray() : [];
                }
            }
        }

        return new ServerFlight(version, suite, group) { Key = key };
    }

    // The kind of curve, its name, the point, and with what all that is signed (RFC 8422 §5.4).
    private ServerFlight WithKeyExchange(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        return ((TlsCipherSuite)Suite).ToString().StartsWith("TLS_ECDHE_", StringComparison.Ordinal)
            && reader.TryRead(1, out var kind)
            && kind[0] == NamedCurve
            && reader.TryReadUInt16(out var curve)
            && reader.TryReadVector8(out _)
            && reader.TryReadUInt16(out var signature)
            ? this with { Group = curve, Signature = signature }
            : this;
    }
}
