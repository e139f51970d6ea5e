using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>
/// However a connection ends on our side, and whatever the application is doing: it ends, the peer reads nothing broken, and the calls say why.
/// </summary>
[CancelAfter(120000)]
public sealed class ClosingTests
{
    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World();

    [TearDown]
    public void TearDown() => _world.Dispose();

    public enum Ender
    {
        GracePeriod,
        Dispose,
        Abort,
        StreamDispose,
        CompleteWrites,
    }

    /// <summary>The peers of these tests stay until ours has gone, so that closing waits as long as it may.</summary>
    private MutualTlsServerOptions Hasty => _world.ServerOptions with { CloseTimeout = World.Moment };

    /// <summary>Two threads in the TLS engine at once is a broken record for the peer, or a broken heap for us.</summary>
    [Test]
    public async Task Closing_beside_busy_calls_breaks_no_record_and_leaves_no_socket(
        [Values] Ender ender, [Values("w", "r", "wr")] string busy, [Values(64, 20_000)] int size)
    {
        for (var round = 0; round < 3; round++)
        {
            await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => CloseOneAsync(ender, busy, size, round))).WaitAsync(ConnectedPair.Deadline);
        }
    }

    [Test]
    public async Task The_applications_pending_read_ends_with_the_reason_of_our_end(
        [Values(Ender.Dispose, Ender.Abort, Ender.StreamDispose)] Ender ender)
    {
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, Hasty);
        var server = ends.Server.Accepted;
        var reading = server.Stream.ReadAsync(new byte[1]).AsTask();

        await EndAsync(server, ender);

        var pending = () => reading.WaitAsync(ConnectedPair.Deadline);
        var later = () => server.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline);
        var write = () => server.Stream.WriteAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline);
        var end = ender == Ender.Abort ? ConnectionEnd.Aborted : ConnectionEnd.Disposed;
        (await pending.Should().ThrowAsync<ConnectionEndedException>()).Which.End.Should().Be(end);
        (await later.Should().ThrowAsync<ConnectionEndedException>()).Which.End.Should().Be(end);
        (await write.Should().ThrowAsync<ConnectionEndedException>()).Which.End.Should().Be(end);
        ((Action)(() => server.Stream.Write(new byte[1]))).Should().Throw<ConnectionEndedException>();
        ((Action)(() => _ = server.Stream.Read(new byte[1]))).Should().Throw<ConnectionEndedException>();
        ((Action)(() => server.Stream.EndRead(server.Stream.BeginRead(new byte[1], 0, 1, null, null)))).Should().Throw<ConnectionEndedException>();
    }

    [Test]
    public async Task A_pending_call_of_a_connection_that_lost_its_ground_says_why()
    {
        var rule = new ReloadableRule(Authorize.Dns("client.test"));
        var policy = new RevalidationPolicy { OnUnauthorized = InvalidationAction.Abort };
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions, _world.ServerOptions with { Authorization = Authorize.From(rule), Revalidation = policy });
        var reading = ends.Server.Accepted.Stream.ReadAsync(new byte[1]).AsTask();

        rule.Replace(Authorize.Dns("other.test"));

        var pending = () => reading.WaitAsync(ConnectedPair.Deadline);
        var thrown = (await pending.Should().ThrowAsync<ConnectionEndedException>()).Which;
        (thrown.End, thrown.Rejection!.Reason).Should().Be((ConnectionEnd.Invalidated, RejectionReason.NotAuthorized));
    }

    [Test]
    public async Task An_answer_that_is_disposed_of_reaches_the_peer_whole_although_input_is_unread()
    {
        var answer = new byte[200_000];
        Random.Shared.NextBytes(answer);
        for (var round = 0; round < 10; round++)
        {
            await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions);
            await ends.Client.Accepted.Stream.WriteAsync(new byte[30_000]);
            await ends.Server.Accepted.Stream.ReadExactlyAsync(new byte[1]);

            var serving = AnswerAsync(ends.Server.Accepted, answer);
            var received = new MemoryStream();
            await ends.Client.Accepted.Stream.CopyToAsync(received).WaitAsync(ConnectedPair.Deadline);

            received.ToArray().Should().Equal(answer);
            ends.Client.Accepted.EndedCleanly.Should().BeTrue();
            await ends.Client.Accepted.DisposeAsync();
            await serving.WaitAsync(ConnectedPair.Deadline);
        }
    }

    [Test]
    public async Task A_peers_cut_is_told_from_its_end([Values] bool cut, [Values(TlsVersion.Tls12, TlsVersion.Tls13)] TlsVersion version)
    {
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        await using var ends = await ConnectedPair.ShakeAsync(
            new MutualTlsClient(_world.ClientOptions with { MaximumTlsVersion = version }).UpgradeAsync(clientSocket, "server.test"),
            new MutualTlsServer(_world.ServerOptions).AcceptAsync(serverSocket));
        ends.Server.Accepted.EndedCleanly.Should().BeNull();

        if (cut)
        {
            clientSocket.Shutdown(SocketShutdown.Send);
        }
        else
        {
            await ends.Client.Accepted.CompleteWritesAsync();
        }

        (await ends.Server.Accepted.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline)).Should().Be(0);
        ends.Server.Accepted.EndedCleanly.Should().Be(!cut);
    }

    [Test]
    public async Task Our_half_can_end_beside_a_read_that_waits_and_the_read_goes_on()
    {
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions);
        var buffer = new byte[5];
        var reading = ends.Client.Accepted.Stream.ReadExactlyAsync(buffer).AsTask();

        await ends.Client.Accepted.CompleteWritesAsync().WaitAsync(ConnectedPair.Deadline);
        (await ends.Server.Accepted.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline)).Should().Be(0);
        await ends.Server.Accepted.Stream.WriteAsync("after"u8.ToArray());

        await reading.WaitAsync(ConnectedPair.Deadline);
        buffer.Should().Equal("after"u8.ToArray());
        var write = () => ends.Client.Accepted.Stream.WriteAsync(new byte[1]).AsTask();
        (await write.Should().ThrowAsync<ConnectionEndedException>()).Which.End.Should().Be(ConnectionEnd.WritesCompleted);
    }

    [Test]
    public async Task Completing_writes_twice_is_harmless_also_through_the_stream()
    {
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions);

        await ends.Client.Accepted.CompleteWritesAsync().WaitAsync(ConnectedPair.Deadline);
        await ends.Client.Accepted.CompleteWritesAsync().WaitAsync(ConnectedPair.Deadline);
        await ends.Client.Accepted.Stream.ShutdownAsync().WaitAsync(ConnectedPair.Deadline);

        (await ends.Server.Accepted.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline)).Should().Be(0);
    }

    [Test]
    public async Task Completing_writes_does_not_wait_for_ever_for_a_peer_that_takes_nothing([Values] bool byToken)
    {
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { CloseTimeout = byToken ? TimeSpan.FromMinutes(1) : World.Moment }, Hasty);
        var client = ends.Client.Accepted;
        var writing = FillAsync(client.Stream);
        using var patience = new CancellationTokenSource(byToken ? 50 : -1);

        var complete = () => client.CompleteWritesAsync(patience.Token).WaitAsync(ConnectedPair.Deadline);

        if (byToken)
        {
            await complete.Should().ThrowAsync<OperationCanceledException>();
        }
        else
        {
            await complete.Should().ThrowAsync<IOException>();
        }

        client.Abort();
        var written = () => writing.WaitAsync(ConnectedPair.Deadline);
        await written.Should().ThrowAsync<ConnectionEndedException>();
    }

    [Test]
    public async Task Disposing_twice_at_once_returns_when_the_transport_is_closed()
    {
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        await using var ends = await ConnectedPair.ShakeAsync(
            new MutualTlsClient(_world.ClientOptions).UpgradeAsync(clientSocket, "server.test"),
            new MutualTlsServer(Hasty).AcceptAsync(serverSocket));

        var first = ends.Server.Accepted.DisposeAsync().AsTask();
        var second = ends.Server.Accepted.DisposeAsync().AsTask();
        await second.WaitAsync(ConnectedPair.Deadline);

        serverSocket.SafeHandle.IsClosed.Should().BeTrue();
        await first.WaitAsync(ConnectedPair.Deadline);
    }

    [Test]
    public async Task A_forgotten_connection_is_reclaimed_and_one_of_which_the_stream_is_held_is_not()
    {
        var server = new MutualTlsServer(_world.ServerOptions);
        await using var listener = MutualTlsListener.Start(new() { Server = server, EndPoint = new IPEndPoint(IPAddress.Loopback, 0) });
        var clients = new List<MutualTlsConnection>();
        for (var count = 0; count < 20; count++)
        {
            clients.Add(await new MutualTlsClient(_world.ClientOptions with { CloseTimeout = World.Moment })
                .ConnectAsync(listener.LocalEndPoint, "server.test").WaitAsync(ConnectedPair.Deadline));
        }

        var held = await ForgetAllButOneStreamAsync(listener, clients.Count);
        await new Together([.. clients]).DisposeAsync();

        using var deadline = new CancellationTokenSource(ConnectedPair.Deadline);
        while (server.Live.Count > 1)
        {
            deadline.Token.ThrowIfCancellationRequested();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            await Task.Yield();
        }

        server.Live.Count.Should().Be(1);
        GC.KeepAlive(held);
    }

    [Test]
    public async Task A_callback_that_throws_on_a_token_is_logged()
    {
        var log = new EventLog();
        var rule = new ReloadableRule(Authorize.Dns("client.test"));
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions, _world.ServerOptions with { Authorization = Authorize.From(rule), LoggerFactory = log });
        ends.Server.Accepted.DrainRequested.Register(() => throw new InvalidOperationException("The application's own."));

        rule.Replace(Authorize.Dns("other.test"));

        (await log.NextAsync(1457)).Exception.Should().BeOfType<InvalidOperationException>();
    }

    private async Task CloseOneAsync(Ender ender, string busy, int size, int round)
    {
        var rule = new ReloadableRule(Authorize.Dns("client.test"));
        var policy = new RevalidationPolicy { GracePeriod = TimeSpan.FromMilliseconds(20), OnUnauthorized = InvalidationAction.Drain };
        var options = ender == Ender.CompleteWrites ? _world.ServerOptions : Hasty;
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        await using var ends = await ConnectedPair.ShakeAsync(
            new MutualTlsClient(_world.ClientOptions with { MaximumTlsVersion = round % 2 == 0 ? TlsVersion.Tls13 : TlsVersion.Tls12 })
                .UpgradeAsync(clientSocket, "server.test"),
            new MutualTlsServer(options with { Authorization = Authorize.From(rule), Revalidation = policy }).AcceptAsync(serverSocket));
        var (client, server) = (ends.Client.Accepted, ends.Server.Accepted);
        using var warm = new SemaphoreSlim(0);
        Task[] calls =
        [
            busy.Contains('w', StringComparison.Ordinal) ? WriteForEverAsync(server.Stream, size, warm) : Task.CompletedTask,
            busy.Contains('r', StringComparison.Ordinal) ? ReadForEverAsync(server.Stream, warm) : Task.CompletedTask,
        ];
        var peerReads = ReadForEverAsync(client.Stream, null);
        var peerWrites = busy.Contains('r', StringComparison.Ordinal) ? WriteForEverAsync(client.Stream, size, null) : Task.CompletedTask;
        for (var count = 0; count < 20; count++)
        {
            await warm.WaitAsync(ConnectedPair.Deadline);
        }

        if (ender == Ender.GracePeriod)
        {
            rule.Replace(Authorize.Dns("other.test"));
            await server.NoLongerValid.WaitHandleAsync();
        }
        else
        {
            await EndAsync(server, ender);
        }

        if (ender == Ender.CompleteWrites)
        {
            await client.DisposeAsync();
        }

        foreach (var call in calls)
        {
            if (await Record(call) is { } thrown && ender != Ender.CompleteWrites)
            {
                thrown.Should().BeAssignableTo<IOException>();
            }
        }

        // A reset may reach the peer in the middle of a record; what must never reach it is a record that does not open.
        foreach (var peer in new[] { await Record(peerReads), await Record(peerWrites) })
        {
            peer?.ToString().Should().NotContain("bad record mac").And.NotContain("decryption failed");
        }

        if (ender != Ender.CompleteWrites)
        {
            using var closed = new CancellationTokenSource(ConnectedPair.Deadline);
            while (!serverSocket.SafeHandle.IsClosed)
            {
                closed.Token.ThrowIfCancellationRequested();
                await Task.Yield();
            }
        }
    }

    private static async Task EndAsync(MutualTlsConnection connection, Ender ender)
    {
        switch (ender)
        {
            case Ender.Dispose:
                await connection.DisposeAsync();
                break;
            case Ender.Abort:
                connection.Abort();
                break;
            case Ender.StreamDispose:
                await connection.Stream.DisposeAsync();
                break;
            default:
                await connection.CompleteWritesAsync();
                break;
        }
    }

    private static async Task<Exception?> Record(Task task)
    {
        try
        {
            await task.WaitAsync(ConnectedPair.Deadline);
            return null;
        }
        catch (Exception exception) when (exception is not TimeoutException)
        {
            return exception;
        }
    }

    private static async Task WriteForEverAsync(SslStream stream, int size, SemaphoreSlim? warm)
    {
        var buffer = new byte[size];
        while (true)
        {
            await stream.WriteAsync(buffer);
            warm?.Release();
            await Task.Yield(); // a loop that never waits has a thread of the pool to itself, and here are many
        }
    }

    private static async Task ReadForEverAsync(SslStream stream, SemaphoreSlim? warm)
    {
        var buffer = new byte[4096];
        while (await stream.ReadAsync(buffer) > 0)
        {
            warm?.Release();
            await Task.Yield();
        }
    }

    private static async Task FillAsync(SslStream stream)
    {
        var buffer = new byte[64 * 1024];
        while (true)
        {
            await stream.WriteAsync(buffer);
        }
    }

    private static async Task AnswerAsync(MutualTlsConnection connection, byte[] answer)
    {
        await connection.Stream.WriteAsync(answer);
        await connection.DisposeAsync();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<SslStream> ForgetAllButOneStreamAsync(MutualTlsListener listener, int count)
    {
        SslStream? held = null;
        for (var index = 0; index < count; index++)
        {
            held = (await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline)).Stream;
        }

        return held!;
    }
}
