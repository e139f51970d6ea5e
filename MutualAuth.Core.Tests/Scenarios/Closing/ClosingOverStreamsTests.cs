using System.Net.Sockets;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>
/// Closing a connection whose transport is a stream of the application's, which takes no notice of tokens, or holds its caller's thread.
/// </summary>
[CancelAfter(120000)]
public sealed class ClosingOverStreamsTests
{
    public enum Ending
    {
        Dispose,
        Abort,
        StreamDispose,
        StreamDisposeAsync,
    }

    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World();

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task Closing_ends_within_its_bound_and_disposes_of_the_stream([Values] Stubbornness stubbornness, [Values] Ending ending)
    {
        var (client, stream) = await ConnectAsync(stubbornness);
        stream.BecomeStubborn();

        await Task.Run(async () => await EndAsync(client, ending)).WaitAsync(ConnectedPair.Deadline);

        await stream.Disposed.WaitAsync(ConnectedPair.Deadline);
        stream.LetGo();
    }

    /// <summary>A read that waits does not keep the connection from being closed, and ends with it.</summary>
    [Test]
    public async Task Closing_beside_a_read_that_nothing_ends_ends_within_its_bound(
        [Values(Stubbornness.ReadsForEver, Stubbornness.ReadsBlockTheirCaller, Stubbornness.WritesForEver)] Stubbornness stubbornness,
        [Values] Ending ending)
    {
        var (client, stream) = await ConnectAsync(stubbornness);
        stream.BecomeStubborn();
        var reading = Task.Run(async () => await client.Stream.ReadAsync(new byte[10]));

        await Task.Run(async () => await EndAsync(client, ending)).WaitAsync(ConnectedPair.Deadline);

        await stream.Disposed.WaitAsync(ConnectedPair.Deadline);
        if (stubbornness != Stubbornness.ReadsForEver)
        {
            var read = () => reading.WaitAsync(ConnectedPair.Deadline);
            await read.Should().ThrowAsync<ConnectionEndedException>();
        }
    }

    [Test]
    public async Task Completing_writes_ends_within_its_bound_whatever_the_stream_does(
        [Values(Stubbornness.WritesForEver, Stubbornness.WritesBlockTheirCaller, Stubbornness.FlushesBlockTheirCaller)] Stubbornness stubbornness)
    {
        var (client, stream) = await ConnectAsync(stubbornness);
        stream.BecomeStubborn();

        var completing = () => Task.Run(() => client.CompleteWritesAsync()).WaitAsync(ConnectedPair.Deadline);

        await completing.Should().ThrowAsync<IOException>();
        client.Abort();
    }

    /// <summary>Nothing else is left to do on the way there, so that all that closing does is done on the thread that asks for it.</summary>
    [Test]
    public async Task Asynchronous_closing_holds_no_thread_while_the_stream_disposes_of_itself(
        [Values(Ending.Dispose, Ending.StreamDisposeAsync)] Ending ending)
    {
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        var stream = new StubbornStream(new NetworkStream(clientSocket, ownsSocket: true), Stubbornness.DisposesForEver);
        var ends = await ConnectedPair.ShakeAsync(
            new MutualTlsClient(_world.ClientOptions with { CloseTimeout = ConnectedPair.Deadline }).UpgradeAsync(stream, "server.test"),
            new MutualTlsServer(_world.ServerOptions).AcceptAsync(serverSocket));
        var client = ends.Client.Accepted;
        await client.CompleteWritesAsync().WaitAsync(ConnectedPair.Deadline);
        await ends.Server.Accepted.DisposeAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
        (await client.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline)).Should().Be(0);
        stream.BecomeStubborn();

        var closing = EndAsync(client, ending);

        closing.IsCompleted.Should().BeFalse("the stream is not closed");
        stream.LetGo();
        await closing.WaitAsync(ConnectedPair.Deadline);
        await stream.Disposed.WaitAsync(ConnectedPair.Deadline);
    }

    [Test]
    public async Task Of_connections_that_are_ended_together_none_waits_for_the_stream_of_another()
    {
        var server = new MutualTlsServer(_world.ServerOptions with { CloseTimeout = ConnectedPair.Deadline * 4 });
        var client = new MutualTlsClient(_world.ClientOptions);
        var streams = new List<StubbornStream>();
        var connections = new List<MutualTlsConnection>(); // held, so that none is collected
        for (var count = 0; count < 3; count++)
        {
            var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
            var stream = new StubbornStream(new NetworkStream(serverSocket, ownsSocket: true), Stubbornness.DisposesForEver);
            var ends = await ConnectedPair.ShakeAsync(client.UpgradeAsync(clientSocket, "server.test"), server.AcceptAsync(stream));
            connections.AddRange(ends.Client.Accepted, ends.Server.Accepted);
            stream.BecomeStubborn();
            streams.Add(stream);
        }

        var ending = Task.Run(() => server.EndWhere(_ => true, "the laptops are stolen"));
        try
        {
            await Task.WhenAll(streams.Select(stream => stream.Disposed)).WaitAsync(ConnectedPair.Deadline);
            (await ending.WaitAsync(ConnectedPair.Deadline)).Should().Be(3);
        }
        finally
        {
            streams.ForEach(stream => stream.LetGo());
        }

        await using var all = new Together([.. connections]);
    }

    private async Task<(MutualTlsConnection Client, StubbornStream Stream)> ConnectAsync(Stubbornness stubbornness)
    {
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        var stream = new StubbornStream(new NetworkStream(clientSocket, ownsSocket: true), stubbornness);
        var ends = await ConnectedPair.ShakeAsync(
            new MutualTlsClient(_world.ClientOptions with { CloseTimeout = World.Moment }).UpgradeAsync(stream, "server.test"),
            new MutualTlsServer(_world.ServerOptions).AcceptAsync(serverSocket));
        ends.Server.Accepted.Peer.Name.Should().Be("client.test");
        return (ends.Client.Accepted, stream);
    }

    private static async Task EndAsync(MutualTlsConnection connection, Ending ending)
    {
        switch (ending)
        {
            case Ending.Dispose:
                await connection.DisposeAsync();
                break;
            case Ending.Abort:
                connection.Abort();
                break;
            case Ending.StreamDisposeAsync:
                await connection.Stream.DisposeAsync();
                break;
            case Ending.StreamDispose:
#pragma warning disable CA1849 // the synchronous disposal is what this case tries
                connection.Stream.Dispose();
#pragma warning restore CA1849
                break;
        }
    }
}
