using System.Buffers.Binary;

namespace MutualAuth.Testing.Transports;

/// <summary>One TLS record as it lies on the wire, with no check of its content.</summary>
/// <param name="ContentType">What it says that it holds; any number from 0 to 255 can be cast to it.</param>
/// <param name="Payload">What it holds.</param>
/// <param name="Version">The version field; by RFC 8446 §5.1 0x0303, and 0x0301 in a first ClientHello.</param>
public sealed record TlsRecord(TlsContentType ContentType, ReadOnlyMemory<byte> Payload, int Version = 0x0303)
{
    /// <summary>A length to state in place of the payload's own; null states the truth.</summary>
    public int? StatedLength { get; init; }

    /// <summary>An alert record (RFC 8446 §6).</summary>
    /// <param name="description">The alert, such as 40 for <c>handshake_failure</c>.</param>
    /// <param name="level">1 for warning, 2 for fatal.</param>
    public static TlsRecord Alert(byte description, byte level = 2) => new(TlsContentType.Alert, new[] { level, description });

    /// <summary>Splits one message over several records.</summary>
    /// <param name="contentType">The content type of each.</param>
    /// <param name="message">The message.</param>
    /// <param name="size">The most octets per record.</param>
    /// <param name="version">The version field of each.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> is zero or negative.</exception>
    public static IEnumerable<TlsRecord> Fragment(TlsContentType contentType, ReadOnlyMemory<byte> message, int size, int version = 0x0301)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        return Pieces();

        IEnumerable<TlsRecord> Pieces()
        {
            for (var start = 0; start < message.Length; start += size)
            {
                yield return new TlsRecord(contentType, message.Slice(start, Math.Min(size, message.Length - start)), version);
            }
        }
    }

    /// <summary>The record's octets: type, version, length, payload.</summary>
    public byte[] ToArray()
    {
        var octets = new byte[5 + Payload.Length];
        octets[0] = (byte)ContentType;
        BinaryPrimitives.WriteUInt16BigEndian(octets.AsSpan(1), (ushort)Version);
        BinaryPrimitives.WriteUInt16BigEndian(octets.AsSpan(3), (ushort)(StatedLength ?? Payload.Length));
        Payload.Span.CopyTo(octets.AsSpan(5));
        return octets;
    }
}
