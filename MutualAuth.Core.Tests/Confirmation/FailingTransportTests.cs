using System.Security.Cryptography;
using System.Text;
using MutualAuth.Confirmation;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Confirmation;

/// <summary>
/// What either exchange makes of a transport that fails: the peer's refusal, which may be the reason, counts before the fault, and a yes does not.
/// </summary>
[CancelAfter(20000)]
public sealed class FailingTransportTests
{
    private static readonly byte[] s_yes = [1, 0, 2, 0, 0];
    private static readonly byte[] s_no = [1, 0, 2, 0, 49];

    private readonly IOException _fault = new("the wire is cut");

    [Test]
    public async Task A_yes_to_a_verdict_that_never_left_is_no_confirmation()
    {
        await using var stream = new FaultyStream(s_yes, _fault);

        var answer = await ConfirmationExchange.RunAsync(stream, Verdict.Accepted, default);

        (answer.Peer, answer.Problem, answer.Fault).Should().Be(((Verdict?)null, (Rejection?)null, (Exception?)_fault));
    }

    [Test]
    public async Task A_no_is_heard_also_where_our_verdict_never_left()
    {
        await using var stream = new FaultyStream(s_no, _fault);

        var answer = await ConfirmationExchange.RunAsync(stream, Verdict.Accepted, default);

        (answer.Peer!.Value.Refusal, answer.Fault).Should().Be((PublicReason.AccessDenied, (Exception?)null));
    }

    [Test]
    public async Task A_verdict_that_cannot_be_read_is_the_transports_fault()
    {
        await using var stream = new FaultyStream([], whenRead: _fault);

        var answer = await ConfirmationExchange.RunAsync(stream, Verdict.Accepted, default);

        (answer.Peer, answer.Problem, answer.Fault).Should().Be(((Verdict?)null, (Rejection?)null, (Exception?)_fault));
    }

    [Test]
    public async Task A_verdict_is_flushed_so_that_no_stream_keeps_it_back()
    {
        await using var stream = new FaultyStream(s_yes);

        var answer = await ConfirmationExchange.RunAsync(stream, Verdict.Accepted, default);

        answer.Peer!.Value.IsAccepted.Should().BeTrue();
        stream.Written.Should().BeEquivalentTo([s_yes, []], options => options.WithStrictOrdering());
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Giving_up_is_no_fault_of_the_transport(bool whileWriting)
    {
        var cancelled = new OperationCanceledException();
        await using var stream = new FaultyStream(s_no, whileWriting ? cancelled : null, whileWriting ? null : cancelled);
        using var channel = new LoginChannel(stream, default);

        await FluentActions.Awaiting(() => ConfirmationExchange.RunAsync(stream, Verdict.Accepted, default).AsTask())
            .Should().ThrowAsync<OperationCanceledException>();
        var login = async () =>
        {
            await channel.WriteAsync(FrameType.Login, default);
            return await channel.ReadAsync(FrameType.Verdict);
        };
        await login.Should().ThrowAsync<OperationCanceledException>();
    }

    [Test]
    public async Task A_login_says_nothing_more_after_a_write_that_failed_and_hears_the_refusal()
    {
        await using var stream = new FaultyStream(s_no, _fault);
        using var channel = new LoginChannel(stream, default);

        await channel.WriteAsync(FrameType.Login, default);
        await channel.WriteAsync(FrameType.Response, "a"u8.ToArray());
        var frame = await channel.ReadAsync(FrameType.Verdict);

        stream.Written.Should().ContainSingle();
        (frame.IsRefusal, frame.Verdict.Refusal, frame.Fault).Should().Be((true, PublicReason.AccessDenied, (Exception?)null));
    }

    [TestCase("0100020000", TestName = "A login that could not be written: a yes")]
    [TestCase("05000141", TestName = "A login that could not be written: a challenge")]
    [TestCase("0900", TestName = "A login that could not be written: half a frame")]
    [TestCase("", TestName = "A login that could not be written: the end")]
    public async Task Whatever_else_comes_after_a_write_that_failed_is_the_transports_fault(string hex)
    {
        await using var stream = new FaultyStream(Convert.FromHexString(hex), _fault);
        using var channel = new LoginChannel(stream, default);
        await channel.WriteAsync(FrameType.Login, default);

        var frame = await channel.ReadAsync(FrameType.Verdict, FrameType.Challenge);

        (frame.Type, frame.IsRefusal, frame.Problem, frame.Fault).Should().Be((default(FrameType), false, (Rejection?)null, (Exception?)_fault));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task The_first_fault_is_told(bool failsToWrite)
    {
        var later = new IOException("reading failed too");
        await using var stream = new FaultyStream([], failsToWrite ? _fault : null, later);
        using var channel = new LoginChannel(stream, default);
        await channel.WriteAsync(FrameType.Login, default);

        (await channel.ReadAsync(FrameType.Verdict)).Fault.Should().BeSameAs(failsToWrite ? _fault : later);
        (await channel.WriteLastAsync(Verdict.Accepted)).Should().BeSameAs(failsToWrite ? _fault : null);
    }

    [Test]
    public async Task What_may_be_a_password_is_flushed_and_then_wiped()
    {
        await using var stream = new FaultyStream([]);
        using var channel = new LoginChannel(stream, default);

        await channel.WriteAsync(FrameType.Response, Encoding.ASCII.GetBytes("\0alice\0pencil"));

        stream.Written.Should().BeEquivalentTo([Frame.Encode(FrameType.Response, "\0alice\0pencil"u8), []], options => options.WithStrictOrdering());
        stream.Lent[0].ToArray().Should().OnlyContain(octet => octet == 0);
    }

    [Test]
    public async Task The_transcript_has_the_frames_of_both_sides_between_LOGIN_and_the_last_verdict()
    {
        var (mechanisms, start, outcome) = (
            Frame.Encode(FrameType.Mechanisms, "PLAIN"u8), Frame.Encode(FrameType.Start, "5PLAIN0"u8), Frame.Encode(FrameType.Outcome, 0, 0, 0));
        await using var stream = new FaultyStream([.. mechanisms, .. outcome]);
        using var channel = new LoginChannel(stream, default);

        await channel.WriteAsync(FrameType.Login, default);
        await channel.ReadAsync(FrameType.Mechanisms);
        await channel.WriteAsync(FrameType.Start, "5PLAIN0"u8.ToArray());
        await channel.ReadAsync(FrameType.Outcome);
        await channel.WriteLastAsync(Verdict.Accepted);

        channel.TakeTranscript().Should().Equal(SHA256.HashData([.. mechanisms, .. start, .. outcome]));
    }

    [Test]
    public async Task A_frame_that_cannot_come_now_is_no_part_of_the_transcript()
    {
        await using var stream = new FaultyStream(Frame.Encode(FrameType.Challenge, "x"u8));
        using var channel = new LoginChannel(stream, default);

        (await channel.ReadAsync(FrameType.Outcome)).Problem!.Reason.Should().Be(RejectionReason.ConfirmationMalformed);

        channel.TakeTranscript().Should().Equal(SHA256.HashData([]));
    }
}
