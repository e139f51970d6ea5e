using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Connections;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Connections;

/// <summary>Finding the host ends with the deadline and with the caller, also where the resolver itself cannot be stopped.</summary>
[CancelAfter(60000)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class DialerTests
{
    private static readonly DnsEndPoint s_host = new("host.test", 1);

    private readonly FakeTimeProvider _clock = new();
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Test]
    public async Task A_resolver_that_cannot_be_stopped_is_left_at_the_deadline()
    {
        var connecting = ConnectAsync(CancellationToken.None);
        await _asked.Task.WaitAsync(ConnectedPair.Deadline);

        _clock.Advance(TimeSpan.FromSeconds(1));

        var connect = () => connecting.WaitAsync(ConnectedPair.Deadline);
        (await connect.Should().ThrowAsync<HandshakeException>()).Which.Failure.Should().Be(HandshakeFailure.Unreachable);
    }

    [Test]
    public async Task A_resolver_that_cannot_be_stopped_is_left_when_the_caller_gives_up()
    {
        using var caller = new CancellationTokenSource();
        var connecting = ConnectAsync(caller.Token);
        await _asked.Task.WaitAsync(ConnectedPair.Deadline);

        await caller.CancelAsync();

        var connect = () => connecting.WaitAsync(ConnectedPair.Deadline);
        (await connect.Should().ThrowAsync<OperationCanceledException>()).Which.CancellationToken.Should().Be(caller.Token);
    }

    [Test]
    public async Task A_host_without_an_address_is_unreachable()
    {
        var outcome = await FailedAsync(DialAsync());

        outcome.Reason.Should().Be(RejectionReason.Unreachable);
        outcome.Rejection.Presented.Should().Be("HostNotFound");
        outcome.RemoteEndPoint.Should().BeSameAs(s_host);
    }

    [Test]
    public async Task An_address_that_refuses_is_passed_over_at_once()
    {
        using var listener = Listen("127.0.0.1");

        using var socket = await DialAsync(listener, "127.0.0.2", "127.0.0.3", "127.0.0.1").WaitAsync(ConnectedPair.Deadline);

        socket.RemoteEndPoint.Should().Be(listener.LocalEndPoint);
    }

    [Test]
    public async Task Where_every_address_refuses_the_refusal_is_told()
    {
        using var listener = Listen("127.0.0.1");

        (await FailedAsync(DialAsync(listener, "127.0.0.2", "127.0.0.3"))).Rejection.Presented.Should()
            .StartWith("ConnectionRefused").And.ContainAll("127.0.0.2", "127.0.0.3");
    }

    [Test]
    public async Task An_address_that_does_not_answer_has_a_quarter_of_a_second_before_the_next_is_tried_beside_it()
    {
        using var silent = Listen("127.0.0.2");
        using var filler = await FillAsync(silent);
        using var listener = Listen("127.0.0.1", PortOf(silent));

        var connecting = DialAsync(silent, "127.0.0.2", "127.0.0.1");
        _clock.Advance(TimeSpan.FromMilliseconds(249));
        connecting.IsCompleted.Should().BeFalse();
        listener.Poll(0, SelectMode.SelectRead).Should().BeFalse("nobody has dialled it");
        _clock.Advance(TimeSpan.FromMilliseconds(1));

        using var socket = await connecting.WaitAsync(ConnectedPair.Deadline);
        socket.RemoteEndPoint.Should().Be(listener.LocalEndPoint);
    }

    [Test]
    public async Task Families_take_turns_and_the_resolvers_first_choice_begins()
    {
        Assume.That(Socket.OSSupportsIPv6, "There are two families.");
        using var silent = Listen("127.0.0.2");
        using var filler = await FillAsync(silent);
        using var sameFamily = Listen("127.0.0.1", PortOf(silent));
        using var otherFamily = Listen("::1", PortOf(silent));

        var connecting = DialAsync(silent, "127.0.0.2", "127.0.0.1", "::1");
        _clock.Advance(TimeSpan.FromMilliseconds(250));

        using var socket = await connecting.WaitAsync(ConnectedPair.Deadline);
        socket.RemoteEndPoint.Should().Be(otherFamily.LocalEndPoint);
    }

    [Test]
    public async Task Within_its_family_the_resolvers_order_counts_to_the_last_address()
    {
        Assume.That(Socket.OSSupportsIPv6, "There are two families.");
        using var last = Listen("127.0.0.9");

        using var socket = await DialAsync(last, "::1", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.9").WaitAsync(ConnectedPair.Deadline);

        socket.RemoteEndPoint.Should().Be(last.LocalEndPoint);
    }

    [Test]
    public async Task Addresses_that_do_not_answer_are_left_at_the_deadline()
    {
        using var silent = Listen("127.0.0.2");
        using var filler = await FillAsync(silent);
        var connecting = DialAsync(silent, "127.0.0.2");

        _clock.Advance(TimeSpan.FromSeconds(1));

        (await FailedAsync(connecting)).Rejection.Presented.Should().Contain("00:00:01");
    }

    [Test]
    public async Task Addresses_that_do_not_answer_are_left_when_the_caller_gives_up()
    {
        using var silent = Listen("127.0.0.2");
        using var filler = await FillAsync(silent);
        using var caller = new CancellationTokenSource();
        var connecting = DialAsync(silent, ["127.0.0.2", "127.0.0.2"], caller.Token);

        await caller.CancelAsync();

        (await connecting.Awaiting(each => each.WaitAsync(ConnectedPair.Deadline)).Should().ThrowAsync<OperationCanceledException>())
            .Which.CancellationToken.Should().Be(caller.Token);
    }

    [Test]
    public async Task One_address_is_dialled_as_it_stands()
    {
        using var listener = Listen("127.0.0.1");

        var (socket, stopped) = await Dialer.ConnectAsync(
            listener.LocalEndPoint!, TimeSpan.FromSeconds(1), _clock, NullLoggerFactory.Instance, CancellationToken.None);
        using var connected = socket;

        socket.RemoteEndPoint.Should().Be(listener.LocalEndPoint);
        stopped.Should().BeNull("of a clock of the application's nobody knows whether it has been stopped");
    }

    [Test]
    public async Task What_has_held_the_deadline_of_a_dial_is_handed_on_stopped([Values] bool callerMayGiveUp)
    {
        using var listener = Listen("127.0.0.1");
        using var caller = new CancellationTokenSource();
        var dial = Dialer.ConnectAsync(
            listener.LocalEndPoint!, TimeSpan.FromMinutes(1), TimeProvider.System, NullLoggerFactory.Instance,
            callerMayGiveUp ? caller.Token : CancellationToken.None);

        var (socket, stopped) = await dial.AsTask().WaitAsync(ConnectedPair.Deadline);

        using var connected = socket;
        using var held = stopped;
        await caller.CancelAsync();
        held!.IsCancellationRequested.Should().BeFalse("it is the caller's no more than the dial's");
    }

    [Test]
    public async Task A_deadline_that_is_stopped_ends_nothing_and_one_that_has_ended_something_is_not_stopped()
    {
        var timeout = TimeSpan.FromMilliseconds(20);
        CancellationTokenSource? stopped;
        do
        {
            // On a busy machine its time may be over before it is stopped.
            stopped = Dialer.Stop(new CancellationTokenSource(timeout));
        }
        while (stopped is null);

        using var held = stopped;
        using var later = new CancellationTokenSource(timeout * 2);
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = later.Token.Register(over.SetResult);
        await over.Task.WaitAsync(ConnectedPair.Deadline);

        held.IsCancellationRequested.Should().BeFalse();
        Dialer.Stop(later).Should().BeNull();
    }

    [Test]
    public async Task A_clock_that_fails_is_a_fault_of_ours()
    {
        var dial = () => Dialer.ConnectAsync(
            s_host, TimeSpan.FromSeconds(1), new Broken(), NullLoggerFactory.Instance, CancellationToken.None).AsTask();

        var outcome = (await dial.Should().ThrowAsync<HandshakeException>()).Which;

        (outcome.Failure, outcome.Reason, outcome.RemoteEndPoint).Should().Be((HandshakeFailure.OurFault, RejectionReason.SourceFaulted, s_host));
    }

    private static async Task<HandshakeException> FailedAsync(Task<Socket> connecting)
    {
        var outcome = (await connecting.Awaiting(each => each.WaitAsync(ConnectedPair.Deadline)).Should().ThrowAsync<HandshakeException>()).Which;
        outcome.Failure.Should().Be(HandshakeFailure.Unreachable);
        return outcome;
    }

    private static Socket Listen(string address, int port = 0)
    {
        var endPoint = new IPEndPoint(IPAddress.Parse(address), port);
        var listener = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(endPoint);
        listener.Listen(0);
        return listener;
    }

    private static int PortOf(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;

    /// <summary>Takes the one place in the queue of a listener, which from then on answers nobody.</summary>
    private static async Task<Socket> FillAsync(Socket listener)
    {
        var filler = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await filler.ConnectAsync(listener.LocalEndPoint!);
        return filler;
    }

    private Task<Socket> DialAsync(Socket listener, params string[] addresses) => DialAsync(listener, addresses, CancellationToken.None);

    /// <summary>Dials a host that has these addresses, at the port of a listener. When it returns, the first one is being dialled.</summary>
    private Task<Socket> DialAsync(Socket listener, string[] addresses, CancellationToken cancellationToken) => SocketOf(Dialer.ConnectAsync(
        new DnsEndPoint("host.test", PortOf(listener)),
        TimeSpan.FromSeconds(1),
        _clock,
        NullLoggerFactory.Instance,
        cancellationToken,
        (_, _, _) => Task.FromResult(Array.ConvertAll(addresses, IPAddress.Parse))));

    private Task<Socket> DialAsync() => SocketOf(Dialer.ConnectAsync(
        s_host,
        TimeSpan.FromSeconds(1),
        _clock,
        NullLoggerFactory.Instance,
        CancellationToken.None,
        (_, _, _) => Task.FromResult<IPAddress[]>([])));

    private Task<Socket> ConnectAsync(CancellationToken cancellationToken) =>
        SocketOf(Dialer.ConnectAsync(s_host, TimeSpan.FromSeconds(1), _clock, NullLoggerFactory.Instance, cancellationToken, NeverAsync));

    private static async Task<Socket> SocketOf(ValueTask<(Socket Socket, CancellationTokenSource? Stopped)> dial) => (await dial).Socket;

    private Task<IPAddress[]> NeverAsync(string host, AddressFamily family, CancellationToken cancellationToken)
    {
        _asked.SetResult();
        return new TaskCompletionSource<IPAddress[]>().Task;
    }

    private sealed class Broken : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            throw new InvalidOperationException("The clock is broken.");
    }
}
