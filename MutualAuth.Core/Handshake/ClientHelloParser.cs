using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using MutualAuth.Errors;

namespace MutualAuth.Handshake;

/// <summary>Reads a ClientHello out of the first bytes of a connection (RFC 8446 §4.1.2, §5.1; RFC 5246 §7.4.1.2).</summary>
/// <remarks>Pure and bounded: it looks at what has come so far and says complete, more, or no.</remarks>
internal static class ClientHelloParser
{
    private const byte Alert = 21;
    private const byte HandshakeRecord = 22;
    private const byte ClientHelloMessage = 1;
    private const int RecordHeader = 5;
    private const int MessageHeader = 4;
    private const int MaxRecord = 1 << 14;
    private const int MaxRecords = 32;

    // There are some sixty in the registry, and clients send ten to twenty.
    private const int MaxExtensions = 256;

    private const int ServerNameExtension = 0;
    private const int AlpnExtension = 16;
    private const int SupportedVersionsExtension = 43;

    /// <summary>Judges the bytes received so far. Both results null: more bytes are needed.</summary>
    /// <param name="received">Everything since the first byte.</param>
    /// <param name="maxBytes">The largest ClientHello message accepted, in bytes.</param>
    /// <param name="final">No more will come: what is there must be classified.</param>
    internal static (ClientHello? Hello, Rejection? Problem) Parse(ReadOnlySpan<byte> received, int maxBytes, bool final)
    {
        if (PlainProtocols.Recognise(received, final) is { } plain)
        {
            return (null, plain);
        }

        if (received.IsEmpty || received[0] is not (HandshakeRecord or Alert))
        {
            return (null, null);
        }

        var problem = Measure(received, maxBytes, out var announced);
        if (problem is not null || announced is not { } length)
        {
            return (null, problem);
        }

        return ParseMessage(Reassemble(received, MessageHeader + length)[MessageHeader..]);
    }

    /// <summary>Walks the records. <paramref name="complete"/> becomes the length of the message once all of it is there.</summary>
    private static Rejection? Measure(ReadOnlySpan<byte> received, int maxBytes, out int? complete)
    {
        complete = null;
        Span<byte> header = stackalloc byte[MessageHeader];
        var length = 0;
        for (var records = 1; received.Length >= RecordHeader; records++)
        {
            var size = BinaryPrimitives.ReadUInt16BigEndian(received[3..]);
            if (received[0] != HandshakeRecord || received[1] != 3 || size is 0 or > MaxRecord)
            {
                return Malformed($"a handshake record of 1 to {MaxRecord} bytes", $"a record of type {received[0]}, version {received[1]}.{received[2]}, {size} bytes");
            }

            if (records > MaxRecords)
            {
                return Malformed($"a ClientHello in at most {MaxRecords} records", "one in more");
            }

            var fragment = received.Slice(RecordHeader, Math.Min(size, received.Length - RecordHeader));
            if (length < MessageHeader)
            {
                fragment[..Math.Min(fragment.Length, MessageHeader - length)].CopyTo(header[length..]);
            }

            length += fragment.Length;
            if (length > 0 && header[0] != ClientHelloMessage)
            {
                return Malformed("a ClientHello (1)", $"handshake message type {header[0]}");
            }

            if (length >= MessageHeader)
            {
                var announced = (header[1] << 16) | BinaryPrimitives.ReadUInt16BigEndian(header[2..]);
                if (announced > maxBytes)
                {
                    return new Rejection(RejectionReason.ClientHelloTooLarge, $"a ClientHello of at most {maxBytes} bytes", $"one of {announced} bytes");
                }

                if (length >= MessageHeader + announced)
                {
                    complete = announced;
                    return null;
                }
            }

            if (fragment.Length < size)
            {
                return null;
            }

            received = received[(RecordHeader + size)..];
        }

        return received.Length > 0 && received[0] != HandshakeRecord
            ? Malformed("a handshake record (22)", $"a record of type {received[0]}")
            : null;
    }

    /// <summary>The message without its record headers; copied only when it came in several records.</summary>
    private static ReadOnlySpan<byte> Reassemble(ReadOnlySpan<byte> received, int length)
    {
        if (BinaryPrimitives.ReadUInt16BigEndian(received[3..]) >= length)
        {
            return received.Slice(RecordHeader, length);
        }

        var message = new byte[length];
        for (var filled = 0; filled < length;)
        {
            var size = BinaryPrimitives.ReadUInt16BigEndian(received[3..]);
            var fragment = received.Slice(RecordHeader, Math.Min(size, length - filled));
            fragment.CopyTo(message.AsSpan(filled));
            filled += fragment.Length;
            received = received[(RecordHeader + fragment.Length)..];
        }

        return message;
    }

    private static (ClientHello? Hello, Rejection? Problem) ParseMessage(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        if (!reader.TryReadUInt16(out var legacyVersion)
            || !reader.TryRead(32, out _)
            || !reader.TryReadVector8(out var sessionId) || sessionId.Length > 32
            || !reader.TryReadVector16(out var suites) || suites.Length < 2 || suites.Length % 2 != 0
            || !reader.TryReadVector8(out var compression) || compression.IsEmpty)
        {
            return (null, Malformed("the fixed part of a ClientHello", $"{body.Length} bytes that do not hold it"));
        }

        string? serverName = null;
        ImmutableArray<string> protocols = [];
        ImmutableArray<int> versions = [legacyVersion];
        if (!reader.IsAtEnd)
        {
            if (!reader.TryReadVector16(out var block) || !reader.IsAtEnd)
            {
                return (null, Malformed("one block of extensions", "a length that does not fit"));
            }

            var extensions = new WireReader(block);
            Span<int> seen = stackalloc int[MaxExtensions];
            var count = 0;
            while (!extensions.IsAtEnd)
            {
                if (!extensions.TryReadUInt16(out var type) || !extensions.TryReadVector16(out var data))
                {
                    return (null, Malformed("an extension", "one that is cut short"));
                }

                if (seen[..count].Contains(type))
                {
                    return (null, Malformed("each extension at most once (RFC 8446 §4.2)", $"extension {type} twice"));
                }

                if (count == MaxExtensions)
                {
                    return (null, Malformed($"at most {MaxExtensions} extensions", "more"));
                }

                seen[count++] = type;

                var read = type switch
                {
                    ServerNameExtension => TryReadServerName(data, out serverName),
                    AlpnExtension => TryReadProtocols(data, out protocols),
                    SupportedVersionsExtension => TryReadVersions(data, out versions),
                    _ => true,
                };
                if (!read)
                {
                    return (null, Malformed($"a well-formed extension {type}", "one that is not"));
                }
            }
        }

        return (new ClientHello(serverName, protocols, versions), null);
    }

    // struct { NameType name_type; opaque HostName<1..2^16-1>; } ServerName; ServerName server_name_list<1..2^16-1>   RFC 6066 §3
    private static bool TryReadServerName(ReadOnlySpan<byte> data, out string? serverName)
    {
        serverName = null;
        var reader = new WireReader(data);
        if (!reader.TryReadVector16(out var list) || !reader.IsAtEnd || list.IsEmpty)
        {
            return false;
        }

        var names = new WireReader(list);
        while (!names.IsAtEnd)
        {
            if (!names.TryRead(1, out var nameType) || !names.TryReadVector16(out var name) || name.IsEmpty)
            {
                return false;
            }

            if (nameType[0] != 0)
            {
                continue;
            }

            if (serverName is not null || name.Length > 255 || name.ContainsAnyExceptInRange((byte)0x21, (byte)0x7e))
            {
                return false;
            }

            serverName = Encoding.ASCII.GetString(name).ToLowerInvariant();
        }

        return true;
    }

    // opaque ProtocolName<1..2^8-1>; ProtocolName protocol_name_list<2..2^16-1>   RFC 7301 §3.1
    private static bool TryReadProtocols(ReadOnlySpan<byte> data, out ImmutableArray<string> protocols)
    {
        protocols = [];
        var reader = new WireReader(data);
        if (!reader.TryReadVector16(out var list) || !reader.IsAtEnd || list.IsEmpty)
        {
            return false;
        }

        var result = ImmutableArray.CreateBuilder<string>();
        var names = new WireReader(list);
        while (!names.IsAtEnd)
        {
            if (!names.TryReadVector8(out var name) || name.IsEmpty)
            {
                return false;
            }

            result.Add(Encoding.Latin1.GetString(name));
        }

        protocols = result.DrainToImmutable();
        return true;
    }

    // ProtocolVersion versions<2..254>   RFC 8446 §4.2.1
    private static bool TryReadVersions(ReadOnlySpan<byte> data, out ImmutableArray<int> versions)
    {
        versions = [];
        var reader = new WireReader(data);
        if (!reader.TryReadVector8(out var list) || !reader.IsAtEnd || list.Length < 2 || list.Length % 2 != 0)
        {
            return false;
        }

        var result = ImmutableArray.CreateBuilder<int>(list.Length / 2);
        for (var at = 0; at < list.Length; at += 2)
        {
            var version = BinaryPrimitives.ReadUInt16BigEndian(list[at..]);
            if ((version & 0x0f0f) != 0x0a0a)
            {
                result.Add(version);
            }
        }

        versions = result.DrainToImmutable();
        return true;
    }

    private static Rejection Malformed(string expected, string presented) =>
        new(RejectionReason.MalformedClientHello, expected, presented) { Rule = "RFC 8446 §4.1.2" };
}
