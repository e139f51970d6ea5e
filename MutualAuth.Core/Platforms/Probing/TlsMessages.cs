using System.Buffers.Binary;
using MutualAuth.Hello;

namespace MutualAuth.Platforms;

/// <summary>The handshake messages of a flight in the clear, out of their records (RFC 8446 §5.1, RFC 5246 §7.4).</summary>
internal static class TlsMessages
{
    private const byte HandshakeRecord = 22;

    /// <summary>The type of each message, and its body; up to the first record of another type, or the first that is cut short.</summary>
    internal static List<(byte Type, byte[] Body)> In(ReadOnlySpan<byte> flight)
    {
        var content = new List<byte>();
        var records = new WireReader(flight);
        while (records.TryRead(3, out var header) && header[0] == HandshakeRecord && records.TryReadVector16(out var fragment))
        {
            content.AddRange(fragment);
        }

        return Split([.. content]);
    }

    /// <summary>The same, of messages that have no records around them.</summary>
    internal static List<(byte Type, byte[] Body)> Split(ReadOnlySpan<byte> content)
    {
        var messages = new List<(byte, byte[])>();
        var reader = new WireReader(content);
        while (reader.TryRead(4, out var header)
            && reader.TryRead((header[1] << 16) | BinaryPrimitives.ReadUInt16BigEndian(header[2..]), out var body))
        {
            messages.Add((header[0], body.ToArray()));
        }

        return messages;
    }

    /// <summary>The numbers of two octets in a list.</summary>
    internal static IEnumerable<int> Numbers(ReadOnlySpan<byte> list)
    {
        var numbers = new List<int>(list.Length / 2);
        var reader = new WireReader(list);
        while (reader.TryReadUInt16(out var number))
        {
            numbers.Add(number);
        }

        return numbers;
    }
}
