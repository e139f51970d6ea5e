using System.Net;
using System.Net.Sockets;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>Synchronous and APM calls, beside every way in which a connection ends; transports without a reset; stops in a hurry.</summary>
[CancelAfter(120000)]
public sealed class EveryKindOfCallTests
{
    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World();

    [TearDown]
    public void TearDown() => _world.Dispose();

    public enum Ender
    {
        Dispose,
        StreamDisposeAsync,
        StreamDispose,
        Abort,
    }

    public enum Kind
    {
        Read,
        BeginRead,
        ReadByte,
        Write,
        BeginWrite,
    }

    [Test]
    public async Task A_call_that_waits_ends_with_the_reason_whatever_its_kind([Values] Kind call, [Values] Ender ender)
    {
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions with { CloseTimeout = World.Moment });
        var server = ends.Server.Accepted;
        var calling = Task.Factory.StartNew(() => UntilItEnds(server.Stream, call), CancellationToken.None, TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        if (call is Kind.Write or Kind.BeginWrite)
        {
            // and no more: its buffers fill
            await ends.Client.Accepted.Stream.ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline);
        }

        await EndAsync(server, ender).WaitAsync(ConnectedPair.Deadline);

        var called = () => calling.WaitAsync(ConnectedPair.Deadline);
        (await called.Should().ThrowAsync<ConnectionEndedException>()).Which.End
            .Should().Be(ender == Ender.Abort ? ConnectionEnd.Aborted : ConnectionEnd.Disposed);
        var later = () => UntilItEnds(server.Stream, call);
        later.Should().Throw<ConnectionEndedException>();
    }

    /// <summary>The neighbour: nobody ends the connection, and the call serves.</summary>
    [Test]
    public async Task A_call_that_waits_goes_on_when_only_our_half_ends([Values(Kind.Read, Kind.BeginRead, Kind.ReadByte)] Kind call)
    {
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions);
        var (client, server) = (ends.Client.Accepted, ends.Server.Accepted);
        var calling = Task.Factory.StartNew(() => Once(client.Stream, call), CancellationToken.None, TaskCreationOptions.LongRunning,
            TaskScheduler.Default);

        await client.CompleteWritesAsync().WaitAsync(ConnectedPair.Deadline);
        (await server.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline)).Should().Be(0);
        server.EndedCleanly.Should().BeTrue();
        await server.Stream.WriteAsync("y"u8.ToArray());

        (await calling.WaitAsync(ConnectedPair.Deadline)).Should().Be(1);
    }

    [Test]
    public async Task On_a_transport_without_a_reset_the_peer_tells_an_end_from_a_cut([Values] Ender ender)
    {
        var directory = Directory.CreateTempSubdirectory("mutualauth").FullName;
        try
        {
            await using var listener = MutualTlsListener.Start(new()
            {
                Server = new MutualTlsServer(_world.ServerOptions),
                EndPoint = new UnixDomainSocketEndPoint(Path.Combine(directory, "s")),
            });
            await using var client = await new MutualTlsClient(_world.ClientOptions).ConnectAsync(listener.LocalEndPoint, "server.test")
                .WaitAsync(ConnectedPair.Deadline);
            await using var server = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
            client.EndedCleanly.Should().BeNull();
            var reading = client.Stream.ReadAsync(new byte[1]).AsTask();

            var ending = EndAsync(server, ender);

            (await reading.WaitAsync(ConnectedPair.Deadline)).Should().Be(0);
            client.EndedCleanly.Should().Be(ender != Ender.Abort);
            await client.DisposeAsync();
            await ending.WaitAsync(ConnectedPair.Deadline);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Test]
    public async Task A_read_that_timed_out_says_nothing_of_how_the_peer_ends()
    {
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions);
        var (client, server) = (ends.Client.Accepted, ends.Server.Accepted);
        server.Stream.ReadTimeout = 1;

        var read = () => server.Stream.Read(new byte[1]);
        read.Should().Throw<IOException>();
        server.EndedCleanly.Should().BeNull("the peer has said nothing, which is no end");
        server.Stream.ReadTimeout = Timeout.Infinite;
        await client.Stream.WriteAsync("x"u8.ToArray());
        server.Stream.Read(new byte[1]).Should().Be(1);
        await client.CompleteWritesAsync();
        server.Stream.Read(new byte[1]).Should().Be(0);

        server.EndedCleanly.Should().BeTrue();
    }

    [Test]
    public async Task Once_it_has_ended_nothing_of_the_stream_throws_another_type([Values] Ender ender)
    {
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions with { CloseTimeout = World.Moment });
        var stream = ends.Server.Accepted.Stream;
        await EndAsync(ends.Server.Accepted, ender).WaitAsync(ConnectedPair.Deadline);
        Func<Task>[] calls =
        [
            () => stream.FlushAsync(),
            () => stream.ShutdownAsync().WaitAsync(ConnectedPair.Deadline),
            () => stream.CopyToAsync(Stream.Null),
            () => stream.ReadAtLeastAsync(new byte[2], 2).AsTask(),
            () => Run(stream.Flush),
            () => Run(() => stream.CopyTo(Stream.Null)),
            () => Run(() => stream.WriteByte(1)),
            () => ends.Server.Accepted.CompleteWritesAsync(),
        ];
        foreach (var call in calls)
        {
            var thrown = await Record(call);
            (thrown is null or IOException).Should().BeTrue($"{thrown}");
        }

        static Task Run(Action action)
        {
            action();
            return Task.CompletedTask;
        }
    }

    [Test]
    public async Task A_stop_whose_token_is_cancelled_already_stops_at_once([Values] bool isCancelled)
    {
        await using var listener = Listen();
        await using var client = await ConnectAsync(listener);
        await using var server = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);

        var stopping = listener.StopAsync(Timeout.InfiniteTimeSpan, new CancellationToken(isCancelled));
        await server.DrainRequested.WaitHandleAsync();
        if (!isCancelled)
        {
            await server.Stream.WriteAsync("x"u8.ToArray());
            stopping.IsCompleted.Should().BeFalse();
            await Task.WhenAll(server.DisposeAsync().AsTask(), client.DisposeAsync().AsTask());
        }

        await stopping.WaitAsync(ConnectedPair.Deadline);
        var write = () => server.Stream.WriteAsync(new byte[1]).AsTask();
        (await write.Should().ThrowAsync<ConnectionEndedException>()).Which.End
            .Should().Be(isCancelled ? ConnectionEnd.ListenerStopped : ConnectionEnd.Disposed);
    }

    [Test]
    public async Task A_listener_that_is_disposed_of_by_many_at_once_is_stopped_for_all_of_them()
    {
        var listener = Listen();
        await using var client = await ConnectAsync(listener);
        var waiting = listener.AcceptAsync(new CancellationToken(false)).AsTask();
        await using var server = await waiting.WaitAsync(ConnectedPair.Deadline);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(number => Task.Run(async () =>
        {
            await (number % 2 == 0 ? listener.DisposeAsync().AsTask() : listener.StopAsync(Timeout.InfiniteTimeSpan));
            var write = () => server.Stream.WriteAsync(new byte[1]).AsTask();
            await write.Should().ThrowAsync<ConnectionEndedException>("nothing of it is left when the call returns");
        }))).WaitAsync(ConnectedPair.Deadline);

        var accept = () => listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
        await accept.Should().ThrowAsync<ListenerStoppedException>();
    }

    private MutualTlsListener Listen() =>
        MutualTlsListener.Start(new() { Server = new MutualTlsServer(_world.ServerOptions), EndPoint = new IPEndPoint(IPAddress.Loopback, 0) });

    private Task<MutualTlsConnection> ConnectAsync(MutualTlsListener listener) =>
        new MutualTlsClient(_world.ClientOptions).ConnectAsync(listener.LocalEndPoint, "server.test").WaitAsync(ConnectedPair.Deadline);

    private static void UntilItEnds(Stream stream, Kind call)
    {
        while (true)
        {
            Once(stream, call);
        }
    }

    private static int Once(Stream stream, Kind call)
    {
        var buffer = new byte[call is Kind.Write or Kind.BeginWrite ? 64 * 1024 : 1];
        switch (call)
        {
            case Kind.Read:
                return stream.Read(buffer);
            case Kind.BeginRead:
                return stream.EndRead(stream.BeginRead(buffer, 0, buffer.Length, null, null));
            case Kind.ReadByte:
                return stream.ReadByte() < 0 ? 0 : 1;
            case Kind.Write:
                stream.Write(buffer);
                return 0;
            default:
                stream.EndWrite(stream.BeginWrite(buffer, 0, buffer.Length, null, null));
                return 0;
        }
    }

    private static async Task EndAsync(MutualTlsConnection connection, Ender ender)
    {
        switch (ender)
        {
            case Ender.Dispose:
                await connection.DisposeAsync();
                break;
            case Ender.StreamDisposeAsync:
                await connection.Stream.DisposeAsync();
                break;
            case Ender.StreamDispose:
                await Task.Run(connection.Stream.Dispose);
                break;
            default:
                await Task.Run(connection.Abort);
                break;
        }
    }

    private static async Task<Exception?> Record(Func<Task> call)
    {
        try
        {
            await call().WaitAsync(ConnectedPair.Deadline);
            return null;
        }
        catch (Exception exception)
        {
            return exception;
        }
    }
}
