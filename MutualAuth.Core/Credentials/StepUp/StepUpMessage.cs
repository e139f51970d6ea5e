using System.Buffers.Binary;
using MutualAuth.Confirmation;

namespace MutualAuth.Credentials;

/// <summary>The messages of a step-up and a re-authentication: the frames of a login, one in each message (docs/protocol.md §12.3).</summary>
internal static class StepUpMessage
{
    internal static byte[] Of(FrameType type, params ReadOnlySpan<byte> payload) => Frame.Encode(type, payload);

    internal static byte[] Refusal(Rejection rejection) => Of(
        FrameType.Outcome, LoginChannel.OutcomePayload(Verdict.Refused(PublicReasonTable.ForClient(rejection.Reason)), null));

    /// <summary>A client's decision to leave.</summary>
    internal static byte[] Leave() => Of(FrameType.Verdict, LoginChannel.ToPayload(Verdict.Refused(PublicReason.Refused)));

    /// <summary>Reads a message of one of these types, which must be exactly one frame.</summary>
    internal static LoginFrame Read(ReadOnlySpan<byte> message, params ReadOnlySpan<FrameType> expected)
    {
        if (message.Length < Frame.HeaderLength)
        {
            return new LoginFrame(default, [], Malformed($"{message.Length} bytes"), null);
        }

        var header = message[..Frame.HeaderLength];
        if (Frame.CheckHeader(header, expected) is { } problem)
        {
            return new LoginFrame(default, [], problem, null);
        }

        var length = BinaryPrimitives.ReadUInt16BigEndian(header[1..]);
        return message.Length - Frame.HeaderLength == length
            ? new LoginFrame((FrameType)header[0], message[Frame.HeaderLength..].ToArray(), null, null)
            : new LoginFrame(default, [], Malformed($"{message.Length - Frame.HeaderLength} bytes behind a header that says {length}"), null);
    }

    internal static Rejection Malformed(string presented) =>
        new(RejectionReason.CredentialProtocolViolated, "one frame of a login", presented) { Rule = "docs/protocol.md §12.3" };
}
