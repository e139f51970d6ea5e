using System.Net;
using System.Net.Sockets;

namespace MutualAuth.Tests.Support;

/// <summary>What one end got out of a handshake: a connection or a failure.</summary>
internal sealed record End(MutualTlsConnection? Connection, Exception? Failure)
{
    internal HandshakeException Refusal =>
        Failure as HandshakeException ?? throw new AssertionException($"Expected a HandshakeException, got {(object?)Failure ?? "a connection"}.");

    internal MutualTlsConnection Accepted => Connection ?? throw new AssertionException($"Expected a connection, got {Failure}");

    internal static async Task<End> OfAsync(Task<MutualTlsConnection> handshake)
    {
        try
        {
            return new End(await handshake.WaitAsync(ConnectedPair.Deadline), null);
        }
        catch (Exception exception) when (exception is not TimeoutException)
        {
            return new End(null, exception);
        }
    }
}

/// <summary>Both ends of one handshake over loopback TCP.</summary>
internal sealed class ConnectedPair : IAsyncDisposable
{
    internal static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private ConnectedPair(End client, End server)
    {
        Client = client;
        Server = server;
    }

    internal End Client { get; }

    internal End Server { get; }

    internal static async Task<ConnectedPair> ShakeAsync(
        MutualTlsClientOptions client, MutualTlsServerOptions server, string? serverName = "server.test")
    {
        var (clientSocket, serverSocket) = await SocketPairAsync();
        return await ShakeAsync(
            new MutualTlsClient(client).UpgradeAsync(clientSocket, serverName),
            new MutualTlsServer(server).AcceptAsync(serverSocket));
    }

    internal static async Task<ConnectedPair> ShakeAsync(MutualTlsClient client, MutualTlsServer server)
    {
        var (clientSocket, serverSocket) = await SocketPairAsync();
        return await ShakeAsync(client.UpgradeAsync(clientSocket, "server.test"), server.AcceptAsync(serverSocket));
    }

    internal static async Task<ConnectedPair> ShakeAsync(Task<MutualTlsConnection> client, Task<MutualTlsConnection> server)
    {
        var ends = await Task.WhenAll(End.OfAsync(client), End.OfAsync(server));
        return new ConnectedPair(ends[0], ends[1]);
    }

    internal static async Task<(Socket Client, Socket Server)> SocketPairAsync()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var accepted = listener.AcceptAsync();
        await client.ConnectAsync(listener.LocalEndPoint!).WaitAsync(Deadline);
        return (client, await accepted.WaitAsync(Deadline));
    }

    /// <summary>An octet from one to the other, and one back.</summary>
    internal static async Task RoundTripAsync(MutualTlsConnection one, MutualTlsConnection other)
    {
        await one.Stream.WriteAsync("x"u8.ToArray());
        (await other.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(Deadline)).Should().Be(1);
        await other.Stream.WriteAsync("y"u8.ToArray());
        (await one.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(Deadline)).Should().Be(1);
    }

    /// <summary>Both at once: each waits a moment for the other to end its side.</summary>
    public async ValueTask DisposeAsync() =>
        await Task.WhenAll(new[] { Client, Server }.Select(end => end.Connection?.DisposeAsync().AsTask() ?? Task.CompletedTask));
}
