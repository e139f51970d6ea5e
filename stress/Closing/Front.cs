using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using MutualAuth.Stress.Support;

namespace MutualAuth.Stress.Closing;

/// <summary>Where a batch of connections comes in: a listener, or a server that is given streams.</summary>
internal abstract class Front : IAsyncDisposable
{
    internal abstract IPEndPoint EndPoint { get; }

    internal int Port => EndPoint.Port;

    internal virtual bool IsStream => false;

    internal static Front OverSockets(MutualTlsServerOptions options) => new Listening(MutualTlsListener.Start(Lab.Listening(options)));

    internal static Front OverStreams(MutualTlsServerOptions options) => new Streaming(new MutualTlsServer(options));

    internal abstract IAsyncEnumerable<MutualTlsConnection> AcceptAllAsync();

    internal abstract Task StopAsync(TimeSpan drain);

    internal async Task<MutualTlsConnection> ConnectAsync(MutualTlsClient client, bool overStream)
    {
        if (!overStream)
        {
            return await client.ConnectAsync(EndPoint, Lab.ServerName);
        }

        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(EndPoint);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        return await client.UpgradeAsync(new PlainStream(new NetworkStream(socket, ownsSocket: true)), Lab.ServerName);
    }

    public async ValueTask DisposeAsync() => await StopAsync(TimeSpan.Zero);

    private sealed class Listening(MutualTlsListener listener) : Front
    {
        internal override IPEndPoint EndPoint => (IPEndPoint)listener.LocalEndPoint;

        internal override IAsyncEnumerable<MutualTlsConnection> AcceptAllAsync() => listener.AcceptAllAsync();

        internal override Task StopAsync(TimeSpan drain) => listener.StopAsync(drain);
    }

    private sealed class Streaming : Front
    {
        private readonly Channel<MutualTlsConnection> _ready = Channel.CreateUnbounded<MutualTlsConnection>();
        private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        private readonly MutualTlsServer _server;

        internal Streaming(MutualTlsServer server)
        {
            _server = server;
            _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _socket.Listen(512);
            EndPoint = (IPEndPoint)_socket.LocalEndPoint!;
            _ = Task.Run(LoopAsync);
        }

        internal override IPEndPoint EndPoint { get; }

        internal override bool IsStream => true;

        internal override IAsyncEnumerable<MutualTlsConnection> AcceptAllAsync() => _ready.Reader.ReadAllAsync();

        internal override Task StopAsync(TimeSpan drain)
        {
            _socket.Dispose();
            return Task.CompletedTask;
        }

        private async Task LoopAsync()
        {
            List<Task> handshakes = [];
            try
            {
                while (true)
                {
                    var accepted = await _socket.AcceptAsync();
                    accepted.NoDelay = true;
                    handshakes.Add(Task.Run(() => ShakeAsync(accepted)));
                }
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                // It is stopped, once every client has gone.
            }

            await Task.WhenAll(handshakes);
            _ready.Writer.TryComplete();
        }

        private async Task ShakeAsync(Socket socket)
        {
            try
            {
                await _ready.Writer.WriteAsync(await _server.AcceptAsync(new PlainStream(new NetworkStream(socket, ownsSocket: true))));
            }
            catch (HandshakeException)
            {
                // The client counts it.
            }
        }
    }
}
