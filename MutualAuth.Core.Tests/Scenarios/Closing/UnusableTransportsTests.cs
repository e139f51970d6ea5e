using System.Net;
using System.Net.Sockets;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>Sockets and streams on which no handshake can run have one outcome, by the task and not by the call, and are closed.</summary>
[CancelAfter(60000)]
public sealed class UnusableTransportsTests
{
    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World();

    [TearDown]
    public void TearDown() => _world.Dispose();

    public enum Flaw
    {
        Unconnected,
        Datagram,
        NonBlocking,
        Disposed,
        Listening,
    }

    [Test]
    public async Task A_socket_that_cannot_be_used_is_our_fault_and_is_closed([Values] Flaw flaw, [Values] bool weAreServer)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var socket = await FlawedAsync(flaw, listener);

        var handshake = weAreServer
            ? new MutualTlsServer(_world.ServerOptions).AcceptAsync(socket)
            : new MutualTlsClient(_world.ClientOptions).UpgradeAsync(socket, "server.test");

        (await End.OfAsync(handshake)).Refusal.Failure.Should().Be(HandshakeFailure.OurFault);
        socket.SafeHandle.IsClosed.Should().BeTrue();
    }

    [Test]
    public async Task A_stream_that_cannot_be_used_is_our_fault_and_is_closed([Values] bool weAreServer, [Values] bool readOnly)
    {
        var stream = readOnly ? new MemoryStream([], writable: false) : new MemoryStream();
        if (!readOnly)
        {
            await stream.DisposeAsync();
        }

        var handshake = weAreServer
            ? new MutualTlsServer(_world.ServerOptions).AcceptAsync(stream)
            : new MutualTlsClient(_world.ClientOptions).UpgradeAsync(stream, "server.test");

        (await End.OfAsync(handshake)).Refusal.Failure.Should().Be(HandshakeFailure.OurFault);
        stream.CanRead.Should().BeFalse();
    }

    [Test]
    public async Task A_socket_whose_peer_has_left_is_the_peers_doing([Values] bool weAreServer)
    {
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        var (ours, theirs) = weAreServer ? (serverSocket, clientSocket) : (clientSocket, serverSocket);
        theirs.Close(timeout: 0);

        var handshake = weAreServer
            ? new MutualTlsServer(_world.ServerOptions).AcceptAsync(ours)
            : new MutualTlsClient(_world.ClientOptions).UpgradeAsync(ours, "server.test");

        (await End.OfAsync(handshake)).Refusal.Failure.Should().Be(HandshakeFailure.TransportLost);
    }

    private static async Task<Socket> FlawedAsync(Flaw flaw, Socket listener)
    {
        if (flaw == Flaw.Datagram)
        {
            var datagrams = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            await datagrams.ConnectAsync(listener.LocalEndPoint!);
            return datagrams;
        }

        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        switch (flaw)
        {
            case Flaw.NonBlocking:
                await socket.ConnectAsync(listener.LocalEndPoint!);
                socket.Blocking = false;
                break;
            case Flaw.Disposed:
                socket.Dispose();
                break;
            case Flaw.Listening:
                socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
                socket.Listen(1);
                break;
            default:
                break;
        }

        return socket;
    }
}
