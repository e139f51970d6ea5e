using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;

namespace MutualAuth.Hello;

/// <summary>Reads a ClientHello out of the first bytes of a connection (RFC 8446 §4.1.2, §5.1; RFC 5246 §7.4.1.2).</summary>
/// <remarks>
/// Pure and bounded: it looks at what has come so far and says complete, more, or no. What it refuses it refuses with the alert that OpenSSL sends,
/// so that a client cannot tell which of the two has read it; what it does not look at, OpenSSL will.
/// </remarks>
internal static class ClientHelloParser
{
    private const int ServerNameExtension = 0;
    private const int GroupsExtension = 10;
    private const int AlpnExtension = 16;
    private const int SupportedVersionsExtension = 43;
    private const int KeyShareExtension = 51;

    private const int Fine = 0;

    /// <summary>Judges the bytes received so far.</summary>
    /// <param name="received">Everything since the first byte.</param>
    /// <param name="maxBytes">The largest ClientHello message accepted, in bytes.</param>
    /// <param name="final">No more will come: what is there must be classified.</param>
    internal static HelloReading Parse(ReadOnlySpan<byte> received, int maxBytes, bool final)
    {
        var records = default(ClientHelloRecords);
        return Parse(ref records, received, maxBytes, final);
    }

    /// <param name="records">How far the records have been followed in earlier calls.</param>
    /// <param name="received">Everything since the first byte.</param>
    /// <param name="maxBytes">The largest ClientHello message accepted, in bytes.</param>
    /// <param name="final">No more will come: what is there must be classified.</param>
    internal static HelloReading Parse(ref ClientHelloRecords records, ReadOnlySpan<byte> received, int maxBytes, bool final)
    {
        if (NotYetTls(received, final) is { } other)
        {
            return other;
        }

        return records.Advance(received, maxBytes) ?? (records.IsComplete ? Read(received, 0, records) : default);
    }

    /// <summary>Reads the message whose records begin at <paramref name="start"/> and have all come.</summary>
    internal static HelloReading Read(ReadOnlySpan<byte> received, int start, in ClientHelloRecords records) =>
        ParseMessage(Reassemble(received[start..], records.MessageLength)[ClientHelloRecords.MessageHeader..]) with { Length = records.End };

    /// <summary>What is said of bytes that are no handshake record; null when they may be one.</summary>
    private static HelloReading? NotYetTls(ReadOnlySpan<byte> received, bool final)
    {
        // Records of TLS that no connection begins with.
        if (received is [20 or 21 or 23 or 24, 3, ..])
        {
            return HelloReading.Malformed(TlsAlerts.UnexpectedMessage, "a handshake record (22)", $"a record of type {received[0]}");
        }

        if (CleartextProtocols.Recognise(received, final) is { } plain)
        {
            int? alert = plain.Reason == RejectionReason.ProtocolVersionUnsupported ? TlsAlerts.ProtocolVersion
                : plain.Reason == RejectionReason.NotTls && received is [_, 3, _, _, _, ..] ? TlsAlerts.UnexpectedMessage
                : null;
            return HelloReading.Refused(alert, plain);
        }

        return received.IsEmpty || received[0] != ClientHelloRecords.HandshakeRecord ? default(HelloReading) : null;
    }

    /// <summary>The message without its record headers; copied only when it came in several records.</summary>
    private static ReadOnlySpan<byte> Reassemble(ReadOnlySpan<byte> received, int length)
    {
        const int Header = ClientHelloRecords.RecordHeader;
        if (BinaryPrimitives.ReadUInt16BigEndian(received[3..]) >= length)
        {
            return received.Slice(Header, length);
        }

        var message = new byte[length];
        for (var filled = 0; filled < length;)
        {
            var size = BinaryPrimitives.ReadUInt16BigEndian(received[3..]);
            received.Slice(Header, size).CopyTo(message.AsSpan(filled));
            filled += size;
            received = received[(Header + size)..];
        }

        return message;
    }

    private static HelloReading ParseMessage(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        if (!reader.TryReadUInt16(out var legacyVersion)
            || !reader.TryRead(32, out _)
            || !reader.TryReadVector8(out var sessionId) || sessionId.Length > 32
            || !reader.TryReadVector16(out var suites) || suites.Length % 2 != 0
            || !reader.TryReadVector8(out var compression) || compression.IsEmpty)
        {
            return HelloReading.Malformed(TlsAlerts.DecodeError, "the fixed part of a ClientHello", $"{body.Length} bytes that do not hold it");
        }

        if (suites.IsEmpty)
        {
            return HelloReading.Malformed(TlsAlerts.IllegalParameter, "cipher suites", "none");
        }

        if (reader.IsAtEnd)
        {
            return new HelloReading(new ClientHello(null, [], [legacyVersion]), null);
        }

        return reader.TryReadVector16(out var block) && reader.IsAtEnd
            ? ParseExtensions(block, legacyVersion)
            : HelloReading.Malformed(TlsAlerts.DecodeError, "one block of extensions", "a length that does not fit");
    }

    private static HelloReading ParseExtensions(ReadOnlySpan<byte> block, int legacyVersion)
    {
        string? serverName = null;
        ImmutableArray<string> protocols = [];
        ImmutableArray<int> versions = default;
        ReadOnlySpan<byte> groups = default, shares = default;
        bool hasGroups = false, hasShares = false;

        var extensions = new WireReader(block);
        Span<ulong> seen = stackalloc ulong[(ushort.MaxValue + 1) / 64]; // one bit for each type, so that many cost no more than few
        while (!extensions.IsAtEnd)
        {
            if (!extensions.TryReadUInt16(out var type) || !extensions.TryReadVector16(out var data))
            {
                return HelloReading.Malformed(TlsAlerts.DecodeError, "an extension", "one that is cut short");
            }

            ref var word = ref seen[type / 64];
            var bit = 1UL << (type % 64);
            if ((word & bit) != 0)
            {
                return HelloReading.Malformed(TlsAlerts.IllegalParameter, "each extension at most once (RFC 8446 §4.2)", $"extension {type} twice");
            }

            word |= bit;
            var alert = Fine;
            switch (type)
            {
                case ServerNameExtension:
                    alert = ReadServerName(data, out serverName);
                    break;
                case GroupsExtension:
                    alert = ReadGroups(data, out groups);
                    hasGroups = true;
                    break;
                case AlpnExtension:
                    alert = ReadProtocols(data, out protocols);
                    break;
                case SupportedVersionsExtension:
                    alert = ReadVersions(data, out versions);
                    break;
                case KeyShareExtension:
                    shares = data;
                    hasShares = true;
                    break;
            }

            if (alert != Fine)
            {
                return HelloReading.Malformed(alert, $"a well-formed extension {type}", "one that is not");
            }
        }

        versions = versions.IsDefault ? [legacyVersion] : versions;

        // Without TLS 1.3 they are not used.
        hasShares = hasShares && versions.Contains(ClientHello.Tls13);
        if (hasShares && ReadShares(shares, out shares) is not Fine and var wrong)
        {
            return HelloReading.Malformed(wrong, $"a well-formed extension {KeyShareExtension}", "one that is not");
        }

        // Who is too old for us will be told that.
        if (IsOfOurTime(versions) && KeyExchangeCost.Examine(groups, hasGroups, hasShares ? shares : default) is { } objection)
        {
            return HelloReading.Refused(TlsAlerts.HandshakeFailure, objection);
        }

        return new HelloReading(new ClientHello(serverName, protocols, versions) { KeyExchangeGroups = ToGroups(groups) }, null);
    }

    private static ImmutableArray<KeyExchangeGroup> ToGroups(ReadOnlySpan<byte> list)
    {
        var groups = new KeyExchangeGroup[CountOf(list)];
        for (int at = 0, count = 0; at < list.Length; at += 2)
        {
            var group = BinaryPrimitives.ReadUInt16BigEndian(list[at..]);
            if (!IsReserved(group))
            {
                groups[count++] = (KeyExchangeGroup)group;
            }
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(groups);
    }

    private static int CountOf(ReadOnlySpan<byte> values)
    {
        var count = 0;
        for (var at = 0; at < values.Length; at += 2)
        {
            count += IsReserved(BinaryPrimitives.ReadUInt16BigEndian(values[at..])) ? 0 : 1;
        }

        return count;
    }

    // RFC 8701: what a client says to keep servers used to values that they do not know.
    private static bool IsReserved(int value) => (value & 0x0f0f) == 0x0a0a;

    private static bool IsOfOurTime(ImmutableArray<int> versions)
    {
        foreach (var version in versions)
        {
            if (version >= ClientHello.Tls12)
            {
                return true;
            }
        }

        return false;
    }

    // struct { NameType name_type; opaque HostName<1..2^16-1>; } ServerName; ServerName server_name_list<1..2^16-1>   RFC 6066 §3
    private static int ReadServerName(ReadOnlySpan<byte> data, out string? serverName)
    {
        serverName = null;
        var reader = new WireReader(data);
        if (!reader.TryReadVector16(out var list) || !reader.IsAtEnd || list.IsEmpty)
        {
            return TlsAlerts.DecodeError;
        }

        var names = new WireReader(list);
        while (!names.IsAtEnd)
        {
            if (!names.TryRead(1, out var nameType) || !names.TryReadVector16(out var name) || name.IsEmpty)
            {
                return TlsAlerts.DecodeError;
            }

            if (nameType[0] != 0)
            {
                continue;
            }

            if (serverName is not null)
            {
                return TlsAlerts.DecodeError;
            }

            if (name.Length > 255 || name.ContainsAnyExceptInRange((byte)0x21, (byte)0x7e))
            {
                return TlsAlerts.UnrecognizedName;
            }

            serverName = Encoding.ASCII.GetString(name).ToLowerInvariant();
        }

        return Fine;
    }

    // opaque ProtocolName<1..2^8-1>; ProtocolName protocol_name_list<2..2^16-1>   RFC 7301 §3.1
    private static int ReadProtocols(ReadOnlySpan<byte> data, out ImmutableArray<string> protocols)
    {
        protocols = [];
        var reader = new WireReader(data);
        if (!reader.TryReadVector16(out var list) || !reader.IsAtEnd || list.IsEmpty)
        {
            return TlsAlerts.DecodeError;
        }

        var count = 0;
        for (var names = new WireReader(list); !names.IsAtEnd; count++)
        {
            if (!names.TryReadVector8(out var name) || name.IsEmpty)
            {
                return TlsAlerts.DecodeError;
            }
        }

        var result = new string[count];
        var again = new WireReader(list);
        for (var i = 0; again.TryReadVector8(out var name); i++)
        {
            result[i] = Encoding.Latin1.GetString(name);
        }

        protocols = ImmutableCollectionsMarshal.AsImmutableArray(result);
        return Fine;
    }

    // ProtocolVersion versions<2..254>   RFC 8446 §4.2.1
    private static int ReadVersions(ReadOnlySpan<byte> data, out ImmutableArray<int> versions)
    {
        versions = [];
        var reader = new WireReader(data);
        if (!reader.TryReadVector8(out var list) || !reader.IsAtEnd || list.Length < 2 || list.Length % 2 != 0)
        {
            return TlsAlerts.ProtocolVersion; // OpenSSL: a version that cannot be read is none that it has
        }

        var result = new int[CountOf(list)];
        for (int at = 0, count = 0; at < list.Length; at += 2)
        {
            var version = BinaryPrimitives.ReadUInt16BigEndian(list[at..]);
            if (!IsReserved(version))
            {
                result[count++] = version;
            }
        }

        versions = ImmutableCollectionsMarshal.AsImmutableArray(result);
        return Fine;
    }

    // NamedGroup named_group_list<2..2^16-1>   RFC 8446 §4.2.7
    private static int ReadGroups(ReadOnlySpan<byte> data, out ReadOnlySpan<byte> groups)
    {
        var reader = new WireReader(data);
        return reader.TryReadVector16(out groups) && reader.IsAtEnd && groups.Length >= 2 && groups.Length % 2 == 0 ? Fine : TlsAlerts.DecodeError;
    }

    // struct { NamedGroup group; opaque key_exchange<1..2^16-1>; } KeyShareEntry; KeyShareEntry client_shares<0..2^16-1>   RFC 8446 §4.2.8
    private static int ReadShares(ReadOnlySpan<byte> data, out ReadOnlySpan<byte> shares)
    {
        var reader = new WireReader(data);
        if (!reader.TryReadVector16(out shares) || !reader.IsAtEnd)
        {
            return TlsAlerts.DecodeError;
        }

        var entries = new WireReader(shares);
        while (!entries.IsAtEnd)
        {
            if (!entries.TryReadUInt16(out _) || !entries.TryReadVector16(out var key) || key.IsEmpty)
            {
                return TlsAlerts.DecodeError;
            }
        }

        return Fine;
    }
}
