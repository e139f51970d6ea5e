using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using MutualAuth.Connections;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Proxies;

/// <summary>A listener behind HAProxy and nginx, which pass TLS through and say by the PROXY protocol where a client is.</summary>
[CancelAfter(120000)]
public sealed class LoadBalancerTests
{
    private const string ClientAddress = "127.0.0.3";

    private TestAuthority _authority = null!;
    private TestPair _pair = null!;
    private Workshop _workshop = null!;
    private Channel<HandshakeException> _failures = null!;
    private Channel<(int Id, LogLevel Level)> _events = null!;

    /// <summary>What is in front of the listener, and how it says where a client is.</summary>
    public enum Balancer
    {
        HAProxyVersion1 = 1,
        HAProxyVersion2 = 2,
        HAProxyVersion2WithFields = 3,
        NginxVersion1 = 4,
    }

    [SetUp]
    public void SetUp()
    {
        _workshop = new Workshop();
        _authority = new TestAuthority();
        _pair = _authority.CreatePair();
        _failures = Channel.CreateUnbounded<HandshakeException>();
        _events = Channel.CreateUnbounded<(int, LogLevel)>();
    }

    [TearDown]
    public void TearDown()
    {
        _pair.Dispose();
        _authority.Dispose();
        _workshop.Dispose();
    }

    [Test]
    public async Task The_clients_own_address_comes_through([Values] Balancer kind)
    {
        await using var listener = Listen();
        await using var balancer = await StartAsync(kind, listener);
        var socket = await balancer.DialAsync(ClientAddress);
        var own = (IPEndPoint)socket.LocalEndPoint!;

        await using var client = await Client().UpgradeAsync(socket, "server.test").WaitAsync(RunningProgram.Deadline);
        await using var served = await AcceptAsync(listener);

        served.RemoteEndPoint.Should().Be(own);
        (client.IsConfirmed, served.Peer.Name).Should().Be((true, "client.test"));
    }

    [Test]
    public async Task A_rejected_client_is_logged_under_its_own_address([Values] Balancer kind)
    {
        await using var listener = Listen(Authorize.Dns("other.test"));
        await using var balancer = await StartAsync(kind, listener);
        var socket = await balancer.DialAsync(ClientAddress);
        var own = (IPEndPoint)socket.LocalEndPoint!;

        var dial = async () => await Client().UpgradeAsync(socket, "server.test").WaitAsync(RunningProgram.Deadline);

        (await dial.Should().ThrowAsync<HandshakeException>()).Which.PeerReason.Should().Be(PublicReason.AccessDenied);
        var failure = await NextFailureAsync(RejectionReason.NotAuthorized);
        failure.RemoteEndPoint.Should().Be(own);
    }

    [Test]
    public async Task A_header_from_a_balancer_that_is_not_trusted_is_refused([Values] Balancer kind)
    {
        await using var listener = Listen(trusted: "10.0.0.0/8");
        await using var balancer = await StartAsync(kind, listener);
        using var socket = await balancer.DialAsync(ClientAddress);

        var dial = async () => await Client().UpgradeAsync(socket, "server.test").WaitAsync(RunningProgram.Deadline);

        await dial.Should().ThrowAsync<HandshakeException>();
        (await NextFailureAsync(RejectionReason.NotTls)).Message.Should().Contain("ProxyProtocol.TrustedProxies");
    }

    [Test]
    public async Task A_trusted_balancer_that_sends_no_header_is_refused([Values] bool isNginx)
    {
        await using var listener = Listen();
        await using var balancer = isNginx
            ? await Forwarder.NginxAsync(_workshop, PortOf(listener), "proxy_protocol off;")
            : await Forwarder.HAProxyAsync(_workshop, PortOf(listener), string.Empty);
        using var socket = await balancer.DialAsync(ClientAddress);

        var dial = async () => await Client().UpgradeAsync(socket, "server.test").WaitAsync(RunningProgram.Deadline);

        (await dial.Should().ThrowAsync<HandshakeException>()).Which.PeerReason.Should().Be(PublicReason.InternalError);
        await NextFailureAsync(RejectionReason.ProxyHeaderMissing);
    }

    [Test]
    public async Task A_client_of_a_Unix_domain_socket_has_the_balancers_address([Values("send-proxy", "send-proxy-v2")] string option)
    {
        var path = Path.Combine(_workshop.Directory, "s");
        await using var listener = Listen();
        await using var balancer = await Forwarder.HAProxyAsync(_workshop, PortOf(listener), option, $"bind unix@{path}");
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path)).WaitAsync(RunningProgram.Deadline);

        await using var client = await Client().UpgradeAsync(socket, "server.test").WaitAsync(RunningProgram.Deadline);
        await using var served = await AcceptAsync(listener);

        ((IPEndPoint)served.RemoteEndPoint!).Address.Should().Be(IPAddress.Loopback);
    }

    [Test]
    public async Task Health_checks_are_no_warnings_and_the_server_counts_as_healthy([Values("send-proxy", "send-proxy-v2")] string option)
    {
        await using var listener = Listen();
        await using var balancer = await Forwarder.HAProxyAsync(_workshop, PortOf(listener), $"{option} check inter 50ms");
        for (var check = 0; check < 5; check++)
        {
            await NextFailureAsync(RejectionReason.NoClientHello);
        }

        var socket = await balancer.DialAsync(ClientAddress);
        await using var client = await Client().UpgradeAsync(socket, "server.test").WaitAsync(RunningProgram.Deadline);
        await using var served = await AcceptAsync(listener);

        balancer.ToString().Should().NotContain("DOWN");
        _events.Writer.Complete();
        var events = await _events.Reader.ReadAllAsync().ToListAsync();
        events.Should().Contain(entry => entry.Id == 1006)
            .And.NotContain(entry => entry.Level >= LogLevel.Warning && entry.Id >= 1000 && entry.Id < 1100);
    }

    private Task<Forwarder> StartAsync(Balancer kind, MutualTlsListener listener) => kind switch
    {
        Balancer.HAProxyVersion1 => Forwarder.HAProxyAsync(_workshop, PortOf(listener), "send-proxy"),
        Balancer.HAProxyVersion2 => Forwarder.HAProxyAsync(_workshop, PortOf(listener), "send-proxy-v2"),
        Balancer.HAProxyVersion2WithFields => Forwarder.HAProxyAsync(_workshop, PortOf(listener), "send-proxy-v2 proxy-v2-options crc32c"),
        _ => Forwarder.NginxAsync(_workshop, PortOf(listener), "proxy_protocol on;"),
    };

    private static int PortOf(MutualTlsListener listener) => ((IPEndPoint)listener.LocalEndPoint).Port;

    private static Task<MutualTlsConnection> AcceptAsync(MutualTlsListener listener) =>
        listener.AcceptAsync().AsTask().WaitAsync(RunningProgram.Deadline);

    private MutualTlsClient Client() => new(_pair.Client);

    private MutualTlsListener Listen(AuthorizationRule? rule = null, string trusted = "127.0.0.1/32") => MutualTlsListener.Start(new()
    {
        Server = new MutualTlsServer(
            _pair.Server with { Authorization = rule ?? Authorize.Dns("client.test"), LoggerFactory = new Noting(_events.Writer) }),
        EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
        ProxyProtocol = new ProxyProtocol { TrustedProxies = [IPNetwork.Parse(trusted)] },
        OnHandshakeFailed = failure => _failures.Writer.TryWrite(failure),
    });

    /// <summary>The next one with this reason. Those who waited until the balancer listens came and left, and are passed over.</summary>
    private async Task<HandshakeException> NextFailureAsync(RejectionReason reason)
    {
        using var deadline = new CancellationTokenSource(RunningProgram.Deadline);
        while (true)
        {
            var failure = await _failures.Reader.ReadAsync(deadline.Token);
            if (failure.Reason == reason)
            {
                return failure;
            }
        }
    }

    private sealed class Noting(ChannelWriter<(int Id, LogLevel Level)> events) : ILoggerFactory, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            events.TryWrite((eventId.Id, logLevel));

        public void Dispose()
        {
        }
    }
}
