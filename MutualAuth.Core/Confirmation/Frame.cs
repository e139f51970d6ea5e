using System.Buffers.Binary;
using MutualAuth.Errors;

namespace MutualAuth.Confirmation;

/// <summary>The types of confirmation frames. The numbers are the registry of <c>docs/protocol.md</c>.</summary>
internal enum FrameType : byte
{
    /// <summary>Two octets: 0 for accepted, else a public reason.</summary>
    Verdict = 1,
}

/// <summary>The wire form of confirmation frames: one octet of type, two of length, the payload. Pure.</summary>
internal static class Frame
{
    internal const int HeaderLength = 3;
    internal const int VerdictPayloadLength = 2;

    internal static byte[] Encode(Verdict verdict)
    {
        var frame = new byte[HeaderLength + VerdictPayloadLength];
        frame[0] = (byte)FrameType.Verdict;
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(1), VerdictPayloadLength);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(HeaderLength), verdict.Code);
        return frame;
    }

    /// <summary>Judges a header. The length is known good before a single byte of payload is read.</summary>
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

    private static Rejection Malformed(string expected, string presented) =>
        new(RejectionReason.ConfirmationMalformed, expected, presented) { Rule = "docs/protocol.md §3" };
}
