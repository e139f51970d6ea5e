using System.Net;
using System.Net.Sockets;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>What we set on sockets, what the application may set, and what of it shows above TLS.</summary>
[CancelAfter(60000)]
public sealed class SocketSettingsTests
{
    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World();

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task A_peer_that_lost_its_power_is_noticed_by_default()
    {
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        await using var ends = await ShakeAsync(clientSocket, serverSocket, _world.ClientOptions, _world.ServerOptions);

        foreach (var socket in new[] { clientSocket, serverSocket })
        {
            KeepAliveOf(socket).Should().Be((true, 60, 15, 4));
        }
    }

    [Test]
    public async Task Both_ends_set_their_own_values()
    {
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        var keepAlive = new TcpKeepAlive { Time = TimeSpan.FromSeconds(7), Interval = TimeSpan.FromSeconds(3), RetryCount = 2 };
        await using var ends = await ShakeAsync(
            clientSocket,
            serverSocket,
            _world.ClientOptions with { KeepAlive = keepAlive },
            _world.ServerOptions with { KeepAlive = new TcpKeepAlive { Enabled = false } });

        KeepAliveOf(clientSocket).Should().Be((true, 7, 3, 2));
        KeepAliveOf(serverSocket).Enabled.Should().BeFalse();
    }

    [Test]
    public async Task The_application_configures_the_socket_after_us([Values] bool weAreServer)
    {
        var seen = new List<Socket>();
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        Action<Socket> configure = socket =>
        {
            seen.Add(socket);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 99);
        };
        await using var ends = await ShakeAsync(
            clientSocket,
            serverSocket,
            weAreServer ? _world.ClientOptions : _world.ClientOptions with { ConfigureSocket = configure },
            weAreServer ? _world.ServerOptions with { ConfigureSocket = configure } : _world.ServerOptions);

        var configured = weAreServer ? serverSocket : clientSocket;
        seen.Should().Equal(configured);
        KeepAliveOf(configured).Time.Should().Be(99);
    }

    [Test]
    public async Task What_the_application_throws_there_is_our_fault_and_the_socket_is_closed([Values] bool weAreServer)
    {
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        Action<Socket> configure = _ => throw new SocketException((int)SocketError.AccessDenied);
        await using var ends = await ShakeAsync(
            clientSocket,
            serverSocket,
            weAreServer ? _world.ClientOptions : _world.ClientOptions with { ConfigureSocket = configure },
            weAreServer ? _world.ServerOptions with { ConfigureSocket = configure } : _world.ServerOptions);

        var refusal = (weAreServer ? ends.Server : ends.Client).Refusal;
        (refusal.Failure, refusal.Reason).Should().Be((HandshakeFailure.OurFault, RejectionReason.SourceFaulted));
        (weAreServer ? serverSocket : clientSocket).SafeHandle.IsClosed.Should().BeTrue();
    }

    [Test]
    public void Values_that_no_kernel_takes_are_refused()
    {
        var make = () => new MutualTlsClient(_world.ClientOptions with { KeepAlive = new TcpKeepAlive { Time = TimeSpan.Zero, RetryCount = 0 } });

        make.Should().Throw<ArgumentException>().Which.Message.Should().ContainAll(nameof(TcpKeepAlive.Time), nameof(TcpKeepAlive.RetryCount));
    }

    [Test]
    public async Task Timeouts_that_are_set_above_TLS_reach_the_socket()
    {
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        await using var ends = await ShakeAsync(clientSocket, serverSocket, _world.ClientOptions, _world.ServerOptions);
        var stream = ends.Client.Accepted.Stream;

        stream.CanTimeout.Should().BeTrue();
        (stream.ReadTimeout, stream.WriteTimeout) = (5000, 6000);

        (clientSocket.ReceiveTimeout, clientSocket.SendTimeout).Should().Be((5000, 6000));
        (stream.ReadTimeout, stream.WriteTimeout).Should().Be((5000, 6000));
    }

    [TestCase("fe80::1%1", "fe80::1")]
    [TestCase("fe80::1", "fe80::1")]
    [TestCase("127.0.0.1", "127.0.0.1")]
    public void A_scope_is_for_dialling_and_no_part_of_the_name(string host, string name)
    {
        var (endPoint, serverName) = MutualTlsClient.HostOf(host, 4433);

        endPoint.Should().Be(new IPEndPoint(IPAddress.Parse(host), 4433));
        serverName.ToString().Should().Be(name);
    }

    [Test]
    public void A_scope_may_be_an_interfaces_name()
    {
        var loopback = System.Net.NetworkInformation.NetworkInterface.GetAllNetworkInterfaces()[0];

        var (endPoint, serverName) = MutualTlsClient.HostOf($"fe80::1%{loopback.Name}", 4433);

        ((IPEndPoint)endPoint).Address.ScopeId.Should().BePositive();
        serverName.ToString().Should().Be("fe80::1");
    }

    [TestCase("127.0.0.1%1")]
    [TestCase("server.test%1")]
    [TestCase("fe80::1%no-such-interface")]
    [TestCase("fe80::1%")]
    [TestCase("")]
    public void A_scope_anywhere_else_is_no_host(string host)
    {
        var find = () => MutualTlsClient.HostOf(host, 4433);

        find.Should().Throw<ArgumentException>().WithParameterName(nameof(host));
    }

    private static Task<ConnectedPair> ShakeAsync(
        Socket clientSocket, Socket serverSocket, MutualTlsClientOptions client, MutualTlsServerOptions server) =>
        ConnectedPair.ShakeAsync(
            new MutualTlsClient(client).UpgradeAsync(clientSocket, "server.test"), new MutualTlsServer(server).AcceptAsync(serverSocket));

    private static (bool Enabled, int Time, int Interval, int Retries) KeepAliveOf(Socket socket) => (
        (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive)! != 0,
        (int)socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime)!,
        (int)socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval)!,
        (int)socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount)!);
}
