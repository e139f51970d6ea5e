using CsCheck;
using MutualAuth.Confirmation;

namespace MutualAuth.Tests.Confirmation;

/// <summary>The vectors of docs/protocol.md §8, and what is none of them.</summary>
public sealed class FrameTests
{
    [TestCase("0100020000", null)]
    [TestCase("0100020028", PublicReason.Refused)]
    [TestCase("010002002A", PublicReason.BadCertificate)]
    [TestCase("010002002C", PublicReason.CertificateRevoked)]
    [TestCase("010002002D", PublicReason.CertificateExpired)]
    [TestCase("0100020030", PublicReason.UnknownCa)]
    [TestCase("0100020031", PublicReason.AccessDenied)]
    [TestCase("0100020074", PublicReason.CertificateRequired)]
    [TestCase("0100020100", PublicReason.TryAgainLater)]
    public async Task A_verdict_is_five_bytes_both_ways(string hex, PublicReason? refusal)
    {
        var verdict = refusal is { } reason ? Verdict.Refused(reason) : Verdict.Accepted;

        var (read, problem) = await ReadAsync(Convert.FromHexString(hex));

        Convert.ToHexString(Frame.Encode(verdict)).Should().Be(hex);
        problem.Should().BeNull();
        read.Should().Be(verdict);
        read!.Value.IsAccepted.Should().Be(refusal is null);
    }

    [Test]
    public async Task A_code_that_nobody_has_registered_is_a_refusal_all_the_same()
    {
        var (read, _) = await ReadAsync([1, 0, 2, 0xff, 0xff]);

        read!.Value.IsAccepted.Should().BeFalse();
        read.Value.Refusal!.Value.ToCode().Should().Be("code_65535");
    }

    [TestCase("", RejectionReason.ConfirmationTruncated)]
    [TestCase("01", RejectionReason.ConfirmationTruncated)]
    [TestCase("0100", RejectionReason.ConfirmationTruncated)]
    [TestCase("010002", RejectionReason.ConfirmationTruncated)]
    [TestCase("01000200", RejectionReason.ConfirmationTruncated)]
    [TestCase("0000020000", RejectionReason.ConfirmationMalformed, TestName = "Type 0")]
    [TestCase("0200020000", RejectionReason.ConfirmationMalformed, TestName = "A type of a later stage, out of order")]
    [TestCase("FF00020000", RejectionReason.ConfirmationMalformed, TestName = "An unknown type")]
    [TestCase("010000", RejectionReason.ConfirmationMalformed, TestName = "An empty verdict")]
    [TestCase("0100010000", RejectionReason.ConfirmationMalformed, TestName = "A short verdict")]
    [TestCase("010003000000", RejectionReason.ConfirmationMalformed, TestName = "A long verdict")]
    [TestCase("01FFFF0000", RejectionReason.ConfirmationMalformed, TestName = "A length of 64 KiB is refused before a byte of it is read")]
    [TestCase("474554202F", RejectionReason.ConfirmationMalformed, TestName = "Application data instead of a verdict")]
    public async Task What_is_no_verdict_gets_its_reason(string hex, RejectionReason reason)
    {
        var (_, problem) = await ReadAsync(Convert.FromHexString(hex));

        problem!.Reason.Should().Be(reason);
    }

    [Test]
    public void A_verdict_that_nobody_gave_is_no_acceptance() => default(Verdict).IsAccepted.Should().BeFalse();

    [Test]
    public async Task What_follows_a_verdict_stays_in_the_stream([Values(1, 3, 4096)] int fragment)
    {
        byte[] bytes = [1, 0, 2, 0, 0, .. "hello"u8];
        await using var stream = new FragmentedStream(bytes, fragment);

        await FrameReader.ReadVerdictAsync(stream, CancellationToken.None);

        var rest = new MemoryStream();
        await stream.CopyToAsync(rest);
        rest.ToArray().Should().Equal("hello"u8.ToArray());
    }

    [Test]
    public void Any_five_bytes_are_a_verdict_or_a_typed_problem() => Gen.Byte.Array[0, 12].Sample(bytes =>
    {
        var (verdict, problem) = FrameReader.ReadVerdictAsync(new MemoryStream(bytes), CancellationToken.None).AsTask().GetAwaiter().GetResult();
        var isVerdict = bytes is [1, 0, 2, _, _, ..];
        (problem is null).Should().Be(isVerdict);
        (verdict is { IsAccepted: true }).Should().Be(bytes is [1, 0, 2, 0, 0, ..]);
    });

    private static async Task<(Verdict? Verdict, Rejection? Problem)> ReadAsync(byte[] bytes)
    {
        await using var stream = new FragmentedStream(bytes, 1);
        return await FrameReader.ReadVerdictAsync(stream, CancellationToken.None);
    }

    private sealed class FragmentedStream(byte[] bytes, int fragment) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, fragment)], cancellationToken);
    }
}
