using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;

namespace MutualAuth.Hello;

/// <summary>
/// What a server of TLS 1.2 has shown in the clear before we answer (RFC 5246 §7.3). There our certificate is sent before the TLS engine
/// calls the validation of the server; withholding it requires reading the server's flight here. TLS 1.3 does not need it: there the engine
/// asks before our certificate is sent.
/// </summary>
internal static class Tls12ServerFlight
{
    private const byte HandshakeRecord = 22;
    private const byte ServerHello = 2;
    private const byte Certificate = 11;
    private const int ApplicationProtocols = 16;

    /// <summary>
    /// Reads the application protocol and the certificates out of the server's first flight; false when it holds none that can be read.
    /// </summary>
    internal static bool TryRead(ReadOnlySpan<byte> flight, out string? protocol, out ImmutableArray<ReadOnlyMemory<byte>> certificates)
    {
        protocol = null;
        certificates = [];
        var messages = new WireReader(Unwrap(flight));
        while (messages.TryRead(1, out var type) && TryReadVector24(ref messages, out var body))
        {
            switch (type[0])
            {
                case ServerHello:
                    protocol = ProtocolIn(body);
                    break;
                case Certificate:
                    return TryReadCertificates(body, out certificates);
                default:
                    break;
            }
        }

        return false;
    }

    /// <summary>The handshake messages in the clear, out of their records.</summary>
    private static byte[] Unwrap(ReadOnlySpan<byte> flight)
    {
        var content = new List<byte>(flight.Length);
        var records = new WireReader(flight);
        while (records.TryRead(3, out var header) && header[0] == HandshakeRecord && records.TryReadVector16(out var fragment))
        {
            content.AddRange(fragment);
        }

        return [.. content];
    }

    private static string? ProtocolIn(ReadOnlySpan<byte> hello)
    {
        const int VersionAndRandom = 2 + 32;
        const int SuiteAndCompression = 2 + 1;
        var reader = new WireReader(hello);
        if (!reader.TryRead(VersionAndRandom, out _)
            || !reader.TryReadVector8(out _)
            || !reader.TryRead(SuiteAndCompression, out _)
            || !reader.TryReadVector16(out var extensions))
        {
            return null;
        }

        var each = new WireReader(extensions);
        while (each.TryReadUInt16(out var type) && each.TryReadVector16(out var content))
        {
            var names = new WireReader(content);
            if (type == ApplicationProtocols && names.TryReadVector16(out var list) && new WireReader(list).TryReadVector8(out var name))
            {
                return Encoding.Latin1.GetString(name);
            }
        }

        return null;
    }

    private static bool TryReadCertificates(ReadOnlySpan<byte> body, out ImmutableArray<ReadOnlyMemory<byte>> certificates)
    {
        certificates = [];
        var message = new WireReader(body);
        if (!TryReadVector24(ref message, out var list) || !message.IsAtEnd)
        {
            return false;
        }

        var found = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>();
        var reader = new WireReader(list);
        while (!reader.IsAtEnd)
        {
            if (!TryReadVector24(ref reader, out var certificate))
            {
                return false;
            }

            found.Add(certificate.ToArray());
        }

        certificates = found.DrainToImmutable();
        return !certificates.IsEmpty;
    }

    private static bool TryReadVector24(ref WireReader reader, out ReadOnlySpan<byte> content)
    {
        content = default;
        return reader.TryRead(3, out var length)
            && reader.TryRead((length[0] << 16) | BinaryPrimitives.ReadUInt16BigEndian(length[1..]), out content);
    }
}
