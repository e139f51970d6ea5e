using System.Buffers.Binary;
using MutualAuth.Credentials;

namespace MutualAuth.Confirmation;

/// <summary>The types of confirmation frames. The numbers are the registry of <c>docs/protocol.md</c>.</summary>
internal enum FrameType : byte
{
    /// <summary>Two octets: 0 for accepted, else a public reason.</summary>
    Verdict = 1,

    /// <summary>Client: it accepts the server, and wants to log in. Empty.</summary>
    Login = 2,

    /// <summary>Server: the names of the mechanisms, one space between them.</summary>
    Mechanisms = 3,

    /// <summary>Client: the chosen mechanism, and its first message if it has one.</summary>
    Start = 4,

    /// <summary>Server: a message of the mechanism.</summary>
    Challenge = 5,

    /// <summary>Client: a message of the mechanism.</summary>
    Response = 6,

    /// <summary>Server: 0 and perhaps a last message, or a public reason.</summary>
    Outcome = 7,

    /// <summary>Server: an exchange has succeeded, perhaps with a last message, and another follows; the names of its mechanisms.</summary>
    Next = 8,
}

/// <summary>The wire form of confirmation frames: one octet of type, two of length, the payload. Pure.</summary>
internal static class Frame
{
    internal const int HeaderLength = 3;
    internal const int VerdictPayloadLength = 2;
    private const int LongestNames = 1024;

    internal static byte[] Encode(Verdict verdict)
    {
        var frame = new byte[HeaderLength + VerdictPayloadLength];
        frame[0] = (byte)FrameType.Verdict;
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(1), VerdictPayloadLength);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(HeaderLength), verdict.Code);
        return frame;
    }

    /// <summary>A frame of any type; the payload must have a length that <see cref="LengthsOf"/> allows.</summary>
    internal static byte[] Encode(FrameType type, params ReadOnlySpan<byte> payload)
    {
        var frame = new byte[HeaderLength + payload.Length];
        EncodeHeader(type, payload.Length).CopyTo(frame, 0);
        payload.CopyTo(frame.AsSpan(HeaderLength));
        return frame;
    }

    internal static byte[] EncodeHeader(FrameType type, int payloadLength)
    {
        var header = new byte[HeaderLength];
        header[0] = (byte)type;
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(1), checked((ushort)payloadLength));
        return header;
    }

    /// <summary>The shortest and the longest payload of a type.</summary>
    internal static (int Shortest, int Longest) LengthsOf(FrameType type) => type switch
    {
        FrameType.Verdict => (VerdictPayloadLength, VerdictPayloadLength),
        FrameType.Login => (0, 0),
        FrameType.Mechanisms => (1, LongestNames),
        FrameType.Start => (3, 1 + 20 + 1 + SaslLimits.MaxMessageLength),
        FrameType.Challenge or FrameType.Response => (0, SaslLimits.MaxMessageLength),
        FrameType.Outcome => (3, 3 + SaslLimits.MaxMessageLength),
        FrameType.Next => (4, 3 + SaslLimits.MaxMessageLength + LongestNames),
        _ => (0, -1),
    };

    /// <summary>Checks a header where several types are allowed.</summary>
    internal static Rejection? CheckHeader(ReadOnlySpan<byte> header, ReadOnlySpan<FrameType> expected)
    {
        var length = BinaryPrimitives.ReadUInt16BigEndian(header[1..]);
        var type = (FrameType)header[0];
        if (!expected.Contains(type))
        {
            return Malformed($"a frame of type {string.Join(" or ", expected.ToArray())}", $"type {header[0]}, {length} bytes");
        }

        var (shortest, longest) = LengthsOf(type);
        return length >= shortest && length <= longest ? null : Malformed($"a payload of {shortest} to {longest} bytes", $"{length} bytes");
    }

    /// <summary>Checks a header. The length is checked before a single byte of payload is read.</summary>
    internal static Rejection? CheckHeader(ReadOnlySpan<byte> header, FrameType expected)
    {
        var length = BinaryPrimitives.ReadUInt16BigEndian(header[1..]);
        if (header[0] != (byte)expected)
        {
            return Malformed($"a frame of type {(byte)expected} ({expected})", $"type {header[0]}, {length} bytes");
        }

        return length == VerdictPayloadLength ? null : Malformed($"a payload of {VerdictPayloadLength} bytes", $"{length} bytes");
    }

    internal static Verdict DecodeVerdict(ReadOnlySpan<byte> payload) => Verdict.FromWire(BinaryPrimitives.ReadUInt16BigEndian(payload));

    internal static Rejection Malformed(string expected, string presented) =>
        new(RejectionReason.ConfirmationMalformed, expected, presented) { Rule = "docs/protocol.md §3" };
}
