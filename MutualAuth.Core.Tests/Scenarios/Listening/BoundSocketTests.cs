using System.Net;
using System.Net.Sockets;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>A listener over a socket that somebody else has bound, as systemd does.</summary>
[CancelAfter(60000)]
public sealed class BoundSocketTests
{
    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World { CloseTimeout = World.Moment };

    [TearDown]
    public void TearDown() => _world.Dispose();

    [TestCase(false, true)]
    [TestCase(true, true)]
    [TestCase(true, false)]
    public async Task A_bound_socket_serves_whether_it_listens_already_or_not(bool listens, bool blocks)
    {
        var socket = Bound();
        if (listens)
        {
            socket.Listen(7);
        }

        socket.Blocking = blocks;
        await using (var listener = MutualTlsListener.Start(Options(socket)))
        {
            listener.LocalEndPoint.Should().Be(socket.LocalEndPoint);
            await ServesAsync(listener);
        }

        socket.SafeHandle.IsClosed.Should().BeTrue("the listener owned it");
    }

    /// <summary>The form in which a service gets it: a number, and nothing else.</summary>
    [Test]
    public async Task A_descriptor_serves()
    {
        var parents = Bound();
        parents.Listen(7);
        var number = (int)parents.SafeHandle.DangerousGetHandle();
        await using var listener = MutualTlsListener.Start(Options(new Socket(new SafeSocketHandle(number, ownsHandle: false))));

        await ServesAsync(listener);
        parents.Dispose();
    }

    [Test]
    public async Task A_listener_does_not_remove_the_path_of_a_descriptor()
    {
        using var folder = new TemporaryFolder();
        var path = folder["s"];
        using var parents = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        parents.Bind(new UnixDomainSocketEndPoint(path));
        parents.Listen(7);
        var number = (int)parents.SafeHandle.DangerousGetHandle();

        await using (MutualTlsListener.Start(Options(new Socket(new SafeSocketHandle(number, ownsHandle: false)))))
        {
        }

        File.Exists(path).Should().BeTrue("whoever bound it has it for the next process");
    }

    [Test]
    public void What_cannot_be_started_is_not_taken()
    {
        using var socket = Bound();
        var start = () => MutualTlsListener.Start(Options(socket) with { Backlog = 0 });

        start.Should().Throw<ArgumentException>();
        socket.SafeHandle.IsClosed.Should().BeFalse();
    }

    [Test]
    public void A_socket_that_cannot_serve_is_named_at_the_start()
    {
        using var datagrams = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using var unbound = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var closed = Bound();
        closed.Dispose();

        foreach (var (socket, says) in new[] { (datagrams, "of type Dgram"), (unbound, "not bound"), (closed, "closed") })
        {
            var start = () => MutualTlsListener.Start(Options(socket));
            start.Should().Throw<ArgumentException>().Which.Message.Should().ContainAll(nameof(MutualTlsListenerOptions.BoundSocket), says);
        }
    }

    [Test]
    public async Task A_connected_socket_is_no_listener()
    {
        var (client, server) = await ConnectedPair.SocketPairAsync();
        using (client)
        using (server)
        {
            var start = () => MutualTlsListener.Start(Options(server));
            start.Should().Throw<ArgumentException>().Which.Message.Should().Contain("it is connected");
        }
    }

    private static Socket Bound()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private async Task ServesAsync(MutualTlsListener listener)
    {
        await using var client = await new MutualTlsClient(_world.ClientOptions).ConnectAsync(listener.LocalEndPoint, "server.test")
            .WaitAsync(ConnectedPair.Deadline);
        await using var served = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
        served.Peer.Name.Should().Be("client.test");
    }

    private MutualTlsListenerOptions Options(Socket socket) => new() { Server = new MutualTlsServer(_world.ServerOptions), BoundSocket = socket };
}
