using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Transport;

namespace MutualAuth.Tests.Transport;

/// <summary>How long is waited, for whom, and what a socket is told of its peer.</summary>
[CancelAfter(60000)]
public sealed class TransportPartsTests
{
    private static readonly TimeSpan s_long = ConnectedPair.Deadline;

    [TestCase(1, true)]
    [TestCase(127, true)]
    [TestCase(0, false)]
    [TestCase(128, false)]
    public void Probes_are_one_to_127(int count, bool isSound) =>
        new TcpKeepAlive { RetryCount = count }.Problems().Any().Should().Be(!isSound);

    [TestCase(1000, true)]
    [TestCase(32_767_000, true)]
    [TestCase(0, false)]
    [TestCase(999, false)]
    [TestCase(1500, false)]
    [TestCase(32_768_000, false)]
    public void Times_are_whole_seconds_that_fit_a_socket(int milliseconds, bool isSound)
    {
        var time = TimeSpan.FromMilliseconds(milliseconds);

        new TcpKeepAlive { Time = time }.Problems().Any().Should().Be(!isSound);
        new TcpKeepAlive { Interval = time }.Problems().Any().Should().Be(!isSound);
    }

    [Test]
    public void A_connection_has_been_idle_since_it_last_moved()
    {
        var time = new FakeTimeProvider();
        time.Advance(TimeSpan.FromHours(1));
        var clock = new IdleClock(time);
        clock.Elapsed.Should().Be(TimeSpan.Zero);
        time.Advance(TimeSpan.FromSeconds(5));
        clock.Elapsed.Should().Be(TimeSpan.FromSeconds(5));

        clock.Moved();

        clock.Elapsed.Should().Be(TimeSpan.Zero);
    }

    [Test]
    public void Work_that_ends_in_time_is_waited_for_and_work_that_fails_or_does_not_end_is_no_success()
    {
        BoundedWait.Wait(Task.CompletedTask, s_long).Should().BeTrue();
        BoundedWait.Wait(Task.FromException(new IOException("planted")), s_long).Should().BeFalse();
        BoundedWait.Wait(Task.FromCanceled(new CancellationToken(canceled: true)), s_long).Should().BeFalse();
        BoundedWait.Wait(new TaskCompletionSource().Task, TimeSpan.FromMilliseconds(1)).Should().BeFalse();
    }

    [Test]
    public async Task A_stranger_has_a_second_by_the_clock_of_the_options_and_by_the_systems_where_that_fails()
    {
        var time = new FakeTimeProvider();
        using var moment = LingeringClose.ForAMoment(time);
        time.Advance(TimeSpan.FromMilliseconds(999));
        moment.IsCancellationRequested.Should().BeFalse();
        time.Advance(TimeSpan.FromMilliseconds(1));
        moment.IsCancellationRequested.Should().BeTrue();

        using var other = LingeringClose.ForAMoment(new Broken());
        other.IsCancellationRequested.Should().BeFalse();
        var ended = new TaskCompletionSource();
        await using var registration = other.Token.Register(ended.SetResult);
        await ended.Task.WaitAsync(s_long);
    }

    [Test]
    public async Task A_close_lets_go_of_what_is_held_ends_sending_and_waits_for_the_peers_end(CancellationToken cancellationToken)
    {
        var (peer, ours) = await ConnectedPair.SocketPairAsync();
        using var _ = peer;
        await using var transport = new HandshakeTransport(new NetworkStream(ours, ownsSocket: true), 1000);
        transport.Hold();
        await transport.WriteAsync(new byte[] { 1, 2, 3 }, cancellationToken);

        var closing = LingeringClose.RunAsync(null, transport, ours, s_long, maxDrained: 1000).AsTask();
        var heard = new byte[10];
        var count = 0;
        while (await peer.ReceiveAsync(heard.AsMemory(count), cancellationToken) is var more and > 0)
        {
            count += more;
        }

        heard[..count].Should().Equal(1, 2, 3);
        await peer.SendAsync(new byte[10], cancellationToken);
        closing.IsCompleted.Should().BeFalse("the peer has not ended");
        peer.Shutdown(SocketShutdown.Send);

        (await closing.WaitAsync(s_long, cancellationToken)).Should().BeTrue();
        transport.Received.Should().Be(10);
    }

    [Test]
    public async Task A_close_takes_in_no_more_than_it_is_allowed(CancellationToken cancellationToken)
    {
        var (peer, ours) = await ConnectedPair.SocketPairAsync();
        using var _ = peer;
        await using var transport = new HandshakeTransport(new NetworkStream(ours, ownsSocket: true), 100_000);
        await peer.SendAsync(new byte[10], cancellationToken);

        (await LingeringClose.RunAsync(null, transport, ours, s_long, maxDrained: 10).AsTask().WaitAsync(s_long / 2, cancellationToken))
            .Should().BeTrue("the peer has not ended, and has said as much as it may");
    }

    [Test]
    public async Task A_close_has_said_all_although_the_peer_does_not_end(CancellationToken cancellationToken)
    {
        var (peer, ours) = await ConnectedPair.SocketPairAsync();
        using var _ = peer;
        await using var transport = new HandshakeTransport(new NetworkStream(ours, ownsSocket: true), 1000);

        (await LingeringClose.RunAsync(null, transport, ours, World.Moment, 1000).AsTask().WaitAsync(s_long, cancellationToken)).Should().BeTrue();
    }

    [TestCase(Deafness.ReadsForEver)]
    [TestCase(Deafness.WritesForEver)]
    [TestCase(Deafness.BlocksItsCaller)]
    public async Task A_stream_of_the_applications_that_does_not_end_is_left_in_time(Deafness deafness)
    {
        var transport = new HandshakeTransport(new DeafStream(deafness), 1000);
        transport.Hold();
        await transport.WriteAsync(new byte[1]);

        var close = () => LingeringClose.RunAsync(null, transport, null, World.Moment, 1000).AsTask().WaitAsync(s_long);

        await close.Should().NotThrowAsync();
        transport.Cut();
    }

    [Test]
    public async Task A_last_word_in_the_clear_goes_out_behind_what_is_held(CancellationToken cancellationToken)
    {
        var (peer, ours) = await ConnectedPair.SocketPairAsync();
        using var _ = peer;
        await using var transport = new HandshakeTransport(new NetworkStream(ours, ownsSocket: true), 1000);
        transport.Hold();
        await transport.WriteAsync(new byte[] { 1 }, cancellationToken);

        await LingeringClose.SayAsync(transport, [2, 3]);

        var heard = new byte[3];
        var count = 0;
        while (count < 3)
        {
            count += await peer.ReceiveAsync(heard.AsMemory(count), cancellationToken);
        }

        heard.Should().Equal(1, 2, 3);
        transport.HoldsSomething.Should().BeFalse();
    }

    [Test]
    public async Task A_last_word_to_a_peer_that_is_gone_is_no_exception()
    {
        var transport = new HandshakeTransport(new MemoryStream([], writable: false), 1000);
        await LingeringClose.SayAsync(transport, [1]);
        transport.Hold();
        await transport.WriteAsync(new byte[1]);

        await LingeringClose.ReleaseAsync(transport);

        transport.HoldsSomething.Should().BeFalse();
    }

    private sealed class Broken : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            throw new InvalidOperationException("The clock is broken.");
    }
}
