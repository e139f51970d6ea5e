using System.Net;
using System.Threading.Channels;

namespace MutualAuth.Tests.Support;

/// <summary>A world whose server listens on a socket, and the handshakes that failed there.</summary>
internal sealed class ListeningWorld(World world)
{
    private readonly Channel<HandshakeException> _failed = Channel.CreateUnbounded<HandshakeException>();
    private readonly List<HandshakeException> _failures = [];

    /// <summary>Those that have failed so far.</summary>
    internal IReadOnlyList<HandshakeException> Failures
    {
        get
        {
            lock (_failures)
            {
                return [.. _failures];
            }
        }
    }

    /// <summary>Waits until one has failed; no other may have.</summary>
    internal async Task<HandshakeException> OnlyFailureAsync()
    {
        await _failed.Reader.ReadAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
        return Failures.Should().ContainSingle().Which;
    }

    internal MutualTlsListener Listen(MutualTlsServerOptions server, Func<MutualTlsListenerOptions, MutualTlsListenerOptions>? change = null)
    {
        var options = new MutualTlsListenerOptions
        {
            Server = new MutualTlsServer(server),
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            OnHandshakeFailed = Note,
        };
        return MutualTlsListener.Start(change?.Invoke(options) ?? options);
    }

    internal Task<MutualTlsConnection> ConnectAsync(MutualTlsListener listener) =>
        new MutualTlsClient(world.ClientOptions).ConnectAsync(listener.LocalEndPoint, "server.test").WaitAsync(ConnectedPair.Deadline);

    private void Note(HandshakeException failure)
    {
        lock (_failures)
        {
            _failures.Add(failure);
        }

        _failed.Writer.TryWrite(failure);
    }
}
