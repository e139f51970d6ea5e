using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Scenarios;

[CancelAfter(120000)]
public sealed class ListenerTests
{
    private World _world = null!;
    private ListeningWorld _listening = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new World { CloseTimeout = World.Moment };
        _listening = new ListeningWorld(_world); // what another test of this class has left over counts here no longer
    }

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    [NonParallelizable] // it opens thousands of sockets
    public async Task Two_thousand_silent_sockets_do_not_delay_an_honest_client_and_are_gone_after_the_deadline()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var listener = _listening.Listen(_world.ServerOptions with { TimeProvider = clock });
        var silent = new List<Socket>();
        for (var count = 0; count < 2000; count++)
        {
            silent.Add(await DialAsync(listener));
        }

        await using var honest = await _listening.ConnectAsync(listener);
        await using var served = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);

        served.Peer.Name.Should().Be("client.test");
        clock.Advance(TimeSpan.FromSeconds(10));
        foreach (var socket in silent)
        {
            (await ReadToEndAsync(socket)).Should().BeTrue("the listener closes it");
            socket.Dispose();
        }

        _listening.Failures.Select(failure => failure.Reason)
            .Distinct()
            .Should().BeSubsetOf([RejectionReason.EvictedBeforeHello, RejectionReason.NoClientHello]);
    }

    [Test]
    public async Task The_oldest_silent_socket_of_an_address_makes_room_for_the_newest()
    {
        await using var listener = _listening.Listen(_world.ServerOptions, options => options with { MaxPendingHellosPerAddress = 2 });
        using var first = await DialAsync(listener);
        using var second = await DialAsync(listener);
        using var third = await DialAsync(listener);

        (await ReadToEndAsync(first)).Should().BeTrue();

        (await _listening.OnlyFailureAsync()).Reason.Should().Be(RejectionReason.EvictedBeforeHello);
        second.Poll(0, SelectMode.SelectRead).Should().BeFalse("it still has its place");
        third.Poll(0, SelectMode.SelectRead).Should().BeFalse("it still has its place");
    }

    /// <summary>However many addresses they come from: this bound is for all of them together.</summary>
    [TestCase(2, true)]
    [TestCase(4, false)]
    public async Task The_oldest_silent_socket_of_all_makes_room_for_the_newest(int most, bool isEnded)
    {
        await using var listener = _listening.Listen(
            _world.ServerOptions, options => options with { MaxPendingHellos = most, MaxPendingHellosPerAddress = 100 });
        using var first = await DialAsync(listener);
        using var second = await DialAsync(listener);
        using var third = await DialAsync(listener);
        if (isEnded)
        {
            (await ReadToEndAsync(first)).Should().BeTrue();
            (await _listening.OnlyFailureAsync()).Reason.Should().Be(RejectionReason.EvictedBeforeHello);
        }
        else
        {
            await using var honest = await _listening.ConnectAsync(listener); // it comes after them: they have been taken in
            first.Poll(0, SelectMode.SelectRead).Should().BeFalse("there was room for four");
        }

        second.Poll(0, SelectMode.SelectRead).Should().BeFalse("it still has its place");
        third.Poll(0, SelectMode.SelectRead).Should().BeFalse("it still has its place");
    }

    [Test]
    public async Task Of_more_that_wait_for_their_turn_than_there_is_room_the_one_that_waits_longest_is_ended()
    {
        var gate = new TaskCompletionSource();
        var inside = new SemaphoreSlim(0);
        await using var listener = _listening.Listen(
            HeldAt(gate, inside), listening => listening with { MaxConcurrentHandshakes = 1, MaxQueuedHandshakes = 1 });
        var first = _listening.ConnectAsync(listener);
        await inside.WaitAsync(ConnectedPair.Deadline);
        var second = End.OfAsync(_listening.ConnectAsync(listener));
        var third = _listening.ConnectAsync(listener);

        var failure = await _listening.OnlyFailureAsync(); // it has made room for the other
        gate.SetResult();

        await using var one = await first.WaitAsync(ConnectedPair.Deadline);
        var ends = new[] { await second, await End.OfAsync(third) };
        ends.Count(end => end.Connection is not null).Should().Be(1);
        (failure.Failure, failure.Reason).Should().Be((HandshakeFailure.NoCapacity, RejectionReason.Overloaded));
        _listening.Failures.Should().ContainSingle();

        foreach (var end in ends.Where(end => end.Connection is not null))
        {
            await end.Accepted.DisposeAsync();
        }
    }

    [Test]
    public async Task Beyond_the_slots_a_hello_waits_and_is_served_in_its_turn()
    {
        var gate = new TaskCompletionSource();
        var inside = new SemaphoreSlim(0);
        await using var listener = _listening.Listen(
            HeldAt(gate, inside), listening => listening with { MaxConcurrentHandshakes = 1, MaxQueuedHandshakes = 2 });
        var first = _listening.ConnectAsync(listener);
        await inside.WaitAsync(ConnectedPair.Deadline);
        var second = _listening.ConnectAsync(listener);

        gate.SetResult();

        await using var one = await first.WaitAsync(ConnectedPair.Deadline);
        await using var two = await second.WaitAsync(ConnectedPair.Deadline);
        _listening.Failures.Should().BeEmpty();
    }

    /// <summary>All of them have left their slots, and wait for an asynchronous check, before the application has enough.</summary>
    [TestCase(true)]
    [TestCase(false, Description = "the application is never full")]
    public async Task Connections_that_become_ready_while_the_application_is_slow_to_accept_all_reach_it(bool isSlow)
    {
        const int Count = 4;
        var verdict = new TaskCompletionSource<Rejection?>();
        var waiting = new SemaphoreSlim(0);
        await using var listener = _listening.Listen(
            _world.ServerOptions with { AsyncValidators = [new HeldValidator(verdict.Task, waiting)] },
            listening => listening with { MaxConcurrentHandshakes = 1, MaxReadyConnections = isSlow ? 1 : Count });
        var clients = Enumerable.Range(0, Count).Select(_ => _listening.ConnectAsync(listener)).ToArray();
        for (var count = 0; count < Count; count++)
        {
            (await waiting.WaitAsync(ConnectedPair.Deadline)).Should().BeTrue("each is checked");
        }

        verdict.SetResult(null);
        foreach (var client in clients)
        {
            (await client).IsConfirmed.Should().BeTrue();
        }

        for (var count = 0; count < Count; count++)
        {
            await using var accepted = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
            accepted.Peer.Name.Should().Be("client.test");
        }

        await using var next = await _listening.ConnectAsync(listener);
        await using var last = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
        last.IsConfirmed.Should().BeTrue("the slots have come back");
        await Task.WhenAll(clients.Select(async client => await (await client).DisposeAsync()));
    }

    [Test]
    public async Task Stopping_lets_live_connections_finish_what_is_under_way()
    {
        await using var listener = _listening.Listen(_world.ServerOptions);
        await using var client = await _listening.ConnectAsync(listener);
        var server = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);

        var stopped = listener.StopAsync(TimeSpan.FromSeconds(20));
        await server.DrainRequested.WaitHandleAsync();
        stopped.IsCompleted.Should().BeFalse();
        await server.Stream.WriteAsync("last words"u8.ToArray());
        await server.DisposeAsync();

        await stopped.WaitAsync(ConnectedPair.Deadline);
        (await new StreamReader(client.Stream).ReadToEndAsync().WaitAsync(ConnectedPair.Deadline)).Should().Be("last words");
    }

    /// <summary>It is too late to be among the silent ones that the stop ends, and its deadline is on a clock that stands still.</summary>
    [Test]
    public async Task A_socket_that_is_accepted_at_the_moment_of_a_stop_is_closed_by_it()
    {
        var clock = new HoldingClock(DateTimeOffset.UtcNow);
        var options = _world.ServerOptions with { TimeProvider = clock };
        await using var listener = _listening.Listen(options);
        await using var client = await _listening.ConnectAsync(listener);
        var server = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
        clock.HoldNext(options.HandshakeTimeout);
        using var late = await DialAsync(listener);
        await clock.Held.WaitAsync(ConnectedPair.Deadline);

        var stopped = listener.StopAsync(Timeout.InfiniteTimeSpan);
        await server.DrainRequested.WaitHandleAsync();
        clock.Release();

        (await ReadToEndAsync(late)).Should().BeTrue("the listener takes nobody in any more");
        (await _listening.OnlyFailureAsync()).Reason.Should().Be(RejectionReason.ListenerStopped);
        stopped.IsCompleted.Should().BeFalse("the connection goes on");
        await server.DisposeAsync();
        await stopped.WaitAsync(ConnectedPair.Deadline);
    }

    [Test]
    public async Task What_is_left_at_the_drain_deadline_is_aborted()
    {
        await using var listener = _listening.Listen(_world.ServerOptions);
        await using var client = await _listening.ConnectAsync(listener);
        await using var server = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);

        await listener.StopAsync(TimeSpan.FromMilliseconds(50)).WaitAsync(ConnectedPair.Deadline);

        var read = async () => await client.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline);
        await read.Should().ThrowAsync<IOException>("an abort is a reset, and no end of the stream");
    }

    [Test]
    public async Task A_stopped_listener_ends_the_loop_and_takes_nobody_in()
    {
        var listener = _listening.Listen(_world.ServerOptions);
        var loop = Task.Run(async () =>
        {
            var count = 0;
            await foreach (var connection in listener.AcceptAllAsync())
            {
                await connection.DisposeAsync();
                count++;
            }

            return count;
        });
        await using (await _listening.ConnectAsync(listener))
        {
            await listener.StopAsync(TimeSpan.FromSeconds(10)).WaitAsync(ConnectedPair.Deadline);
        }

        (await loop.WaitAsync(ConnectedPair.Deadline)).Should().Be(1);
        var late = async () => await DialAsync(listener);
        await late.Should().ThrowAsync<SocketException>();
    }

    [Test]
    public async Task A_unix_domain_socket_serves_too_and_is_removed()
    {
        var path = Path.Combine(Path.GetTempPath(), $"mutualauth-{Guid.NewGuid():N}.sock");
        var listener =
            MutualTlsListener.Start(new() { Server = new MutualTlsServer(_world.ServerOptions), EndPoint = new UnixDomainSocketEndPoint(path) });
        await using (var client = await new MutualTlsClient(_world.ClientOptions)
            .ConnectAsync(new UnixDomainSocketEndPoint(path), "server.test")
            .WaitAsync(ConnectedPair.Deadline))
        {
            client.Peer.Name.Should().Be("server.test");
        }

        await listener.DisposeAsync();
        File.Exists(path).Should().BeFalse();
    }

    [Test]
    public async Task A_client_finds_the_address_that_answers_when_the_name_has_several()
    {
        await using var listener = _listening.Listen(_world.ServerOptions); // on 127.0.0.1 alone, while localhost may be ::1 as well
        var client = new MutualTlsClient(_world.ClientOptions with { Authorization = Authorize.Dns("server.test") });

        await using var connection = await client.ConnectAsync("localhost", ((IPEndPoint)listener.LocalEndPoint).Port)
            .WaitAsync(ConnectedPair.Deadline);

        connection.IsConfirmed.Should().BeTrue();
    }

    [Test]
    public async Task Nobody_there_is_unreachable()
    {
        using var unused = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        unused.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // bound, so that nobody else takes the port, and not listening

        var end = await End.OfAsync(new MutualTlsClient(_world.ClientOptions).ConnectAsync(unused.LocalEndPoint!, "server.test"));

        (end.Refusal.Failure, end.Refusal.Reason).Should().Be((HandshakeFailure.Unreachable, RejectionReason.Unreachable));
    }

    /// <summary>A server whose handshakes say that they have their slot, and keep it until the gate opens.</summary>
    /// <summary>Peers are judged on a thread that is held, and so is the place to compute.</summary>
    private MutualTlsServerOptions HeldAt(TaskCompletionSource gate, SemaphoreSlim inside) => _world.ServerOptions with
    {
        Authorization = Authorize.Where("held", _ =>
        {
            inside.Release();
            return gate.Task.Wait(ConnectedPair.Deadline);
        }),
    };

    private static async Task<Socket> DialAsync(MutualTlsListener listener)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(listener.LocalEndPoint).WaitAsync(ConnectedPair.Deadline);
        return socket;
    }

    private static async Task<bool> ReadToEndAsync(Socket socket)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[16]).WaitAsync(ConnectedPair.Deadline) == 0;
        }
        catch (SocketException exception)
        {
            return exception.SocketErrorCode == SocketError.ConnectionReset;
        }
    }

    /// <summary>Says that it has been asked, and answers when it may.</summary>
    private sealed class HeldValidator(Task<Rejection?> answer, SemaphoreSlim asked) : IAsyncPeerValidator
    {
        public async ValueTask<Rejection?> ExamineAsync(AuthenticatedPeer peer, CancellationToken cancellationToken)
        {
            asked.Release();
            return await answer.WaitAsync(cancellationToken);
        }
    }
}
