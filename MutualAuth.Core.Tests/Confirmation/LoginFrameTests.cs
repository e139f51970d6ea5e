using System.Text;
using MutualAuth.Confirmation;

namespace MutualAuth.Tests.Confirmation;

/// <summary>The frames of a login (docs/protocol.md §12), at the bounds of their lengths and in each of their parts.</summary>
public sealed class LoginFrameTests
{
    [TestCase((byte)FrameType.Verdict, 2, 2)]
    [TestCase((byte)FrameType.Login, 0, 0)]
    [TestCase((byte)FrameType.Mechanisms, 1, 1024)]
    [TestCase((byte)FrameType.Start, 3, 16_406)]
    [TestCase((byte)FrameType.Challenge, 0, 16_384)]
    [TestCase((byte)FrameType.Response, 0, 16_384)]
    [TestCase((byte)FrameType.Outcome, 3, 16_387)]
    public async Task A_frame_has_the_length_of_its_type_and_a_wrong_one_is_not_read_on(byte type, int shortest, int longest)
    {
        foreach (var length in new[] { shortest - 1, shortest, longest, longest + 1 }.Where(length => length >= 0))
        {
            using var stream = new MemoryStream([type, (byte)(length >> 8), (byte)length, .. new byte[length], 9]);

            var (read, payload, problem) = await FrameReader.ReadAsync(stream, [(FrameType)type], default);

            if (length >= shortest && length <= longest)
            {
                (read, payload.Length, problem).Should().Be(((FrameType)type, length, (Rejection?)null));
                stream.Position.Should().Be(3 + length, "what follows is not its");
            }
            else
            {
                problem!.Reason.Should().Be(RejectionReason.ConfirmationMalformed, "{0} octets", length);
                stream.Position.Should().Be(3);
            }
        }
    }

    [TestCase("", RejectionReason.ConfirmationTruncated)]
    [TestCase("0500", RejectionReason.ConfirmationTruncated)]
    [TestCase("050002", RejectionReason.ConfirmationTruncated)]
    [TestCase("05000241", RejectionReason.ConfirmationTruncated)]
    [TestCase("0500024142", null)]
    [TestCase("070003000000", null)]
    [TestCase("0600024142", RejectionReason.ConfirmationMalformed, TestName = "A frame of a type that cannot come now")]
    [TestCase("0000024142", RejectionReason.ConfirmationMalformed, TestName = "A frame of type 0")]
    [TestCase("080000", RejectionReason.ConfirmationMalformed, TestName = "A frame of a type that nobody has registered")]
    public async Task A_frame_is_whole_and_one_of_those_that_can_come(string hex, RejectionReason? reason)
    {
        using var stream = new MemoryStream(Convert.FromHexString(hex));

        var (_, _, problem) = await FrameReader.ReadAsync(stream, [FrameType.Challenge, FrameType.Outcome], default);

        problem?.Reason.Should().Be(reason);
        (problem is null).Should().Be(reason is null);
    }

    [TestCase("0141 00", "A", null)]
    [TestCase("0141 01", "A", "")]
    [TestCase("0141 01 42", "A", "B")]
    [TestCase("0141 00 42", null, null, TestName = "START: octets behind the mark that there are none")]
    [TestCase("0141 02", null, null, TestName = "START: a mark that is neither")]
    [TestCase("0141", null, null, TestName = "START: no mark")]
    [TestCase("0241 00", null, null, TestName = "START: a name that ends where the mark should be")]
    [TestCase("0161 00", null, null, TestName = "START: a name in lower case")]
    [TestCase("00 00 00", null, null, TestName = "START: no name")]
    public void START_has_a_name_a_mark_and_perhaps_a_message(string hex, string? mechanism, string? message)
    {
        var read = LoginChannel.ReadStart(Convert.FromHexString(hex.Replace(" ", string.Empty, StringComparison.Ordinal)));

        (read?.Mechanism).Should().Be(mechanism);
        (read?.Message is { } text ? Encoding.ASCII.GetString(text.Span) : null).Should().Be(message);
    }

    [TestCase("000000", true, null)]
    [TestCase("000001", true, "")]
    [TestCase("00000142", true, "B")]
    [TestCase("00000042", false, null)]
    [TestCase("000002", false, null)]
    public void OUTCOME_has_a_mark_and_perhaps_a_message(string hex, bool isRead, string? message)
    {
        LoginChannel.TryReadOutcome(Convert.FromHexString(hex), out var data).Should().Be(isRead);

        (data is { } text ? Encoding.ASCII.GetString(text.Span) : null).Should().Be(message);
    }

    [TestCase(31, 1, true)]
    [TestCase(32, 0, true)]
    [TestCase(32, 1, false)]
    [TestCase(33, 0, false)]
    public void MECHANISMS_has_32_names_at_most_the_nonce_among_them(int mechanisms, int nonces, bool isRead)
    {
        var names = Enumerable.Range(1, mechanisms).Select(number => $"M{number}").ToArray();
        var all = names.Concat(Enumerable.Repeat("N-ABCDEFGHIJKLMNOPQR", nonces));

        var read = LoginChannel.ReadMechanisms(Encoding.ASCII.GetBytes(string.Join(' ', all)));

        read.HasValue.Should().Be(isRead);
        (read ?? [.. names]).Should().Equal(names);
    }
}
