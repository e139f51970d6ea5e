using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Connections;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>A listener behind a load balancer: 127.0.0.1 is one, and 127.0.0.2 is a stranger.</summary>
[CancelAfter(120000)]
public sealed class ProxyProtocolTests
{
    private const string Balancer = "127.0.0.1";
    private const string Stranger = "127.0.0.2";

    private World _world = null!;
    private EventLog _log = null!;
    private Channel<HandshakeException> _failures = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new World { CloseTimeout = World.Moment };
        _log = new EventLog();
        _failures = Channel.CreateUnbounded<HandshakeException>();
    }

    [TearDown]
    public void TearDown()
    {
        _log.Dispose();
        _world.Dispose();
    }

    private static IEnumerable<TestCaseData> Headers()
    {
        static TestCaseData Case(string name, byte[] header, string? source) => new TestCaseData(header, source).SetArgDisplayNames(name);

        yield return Case("1: IPv4", ProxyHeaders.Version1("198.51.100.7"), "198.51.100.7:4711");
        yield return Case("1: IPv6", ProxyHeaders.Version1("2001:db8::7"), "[2001:db8::7]:4711");
        yield return Case("1: UNKNOWN", "PROXY UNKNOWN\r\n"u8.ToArray(), null);
        yield return Case("2: IPv4", ProxyHeaders.Version2("198.51.100.7"), "198.51.100.7:4711");
        yield return Case("2: IPv6", ProxyHeaders.Version2("2001:db8::7"), "[2001:db8::7]:4711");
        yield return Case("2: mapped", ProxyHeaders.Version2("::ffff:198.51.100.7"), "[::ffff:198.51.100.7]:4711");
        yield return Case("2: 8 KiB of fields", ProxyHeaders.Version2("198.51.100.7", 4711, new byte[8192]), "198.51.100.7:4711");
        yield return Case("2: LOCAL", ProxyHeaders.Local(), null);
        yield return Case("2: Unix", ProxyHeaders.Binary(0x21, 0x31, new byte[216]), null);
    }

    [TestCaseSource(nameof(Headers))]
    public async Task The_source_of_the_header_is_the_clients_address(byte[] header, string? source)
    {
        await using var listener = Listen();
        var socket = await DialAsync(listener, Balancer);
        var expected = source is null ? (IPEndPoint)socket.LocalEndPoint! : IPEndPoint.Parse(source);

        await socket.SendAsync(header);
        await using var client = await ShakeAsync(socket);
        await using var served = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);

        served.RemoteEndPoint.Should().Be(expected);
        served.Peer.RemoteEndPoint.Should().Be(expected);
        (await _log.NextAsync(1000)).Values["RemoteEndPoint"].Should().Be(expected.ToString());
    }

    [TestCaseSource(nameof(Headers))]
    public async Task A_header_may_come_octet_by_octet(byte[] header, string? source)
    {
        await using var listener = Listen();
        var socket = await DialAsync(listener, Balancer);
        socket.NoDelay = true;
        var expected = source is null ? (IPEndPoint)socket.LocalEndPoint! : IPEndPoint.Parse(source);

        foreach (var octet in header)
        {
            await socket.SendAsync(new[] { octet });
        }

        await using var client = await ShakeAsync(socket);
        await using var served = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
        served.RemoteEndPoint.Should().Be(expected);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_hello_in_the_same_segment_is_not_lost(bool isText)
    {
        await using var listener = Listen();
        using var socket = await DialAsync(listener, Balancer);
        var header = isText ? ProxyHeaders.Version1("198.51.100.7") : ProxyHeaders.Version2("198.51.100.7");

        await socket.SendAsync((byte[])[.. header, .. await HelloBytes.OfRealClientAsync()]);

        var answer = new byte[1];
        (await socket.ReceiveAsync(answer).WaitAsync(ConnectedPair.Deadline)).Should().Be(1);
        answer[0].Should().Be(22, "it is the server's hello");
    }

    [Test]
    public async Task A_limit_by_address_counts_the_clients_and_not_the_proxys()
    {
        var users = new MemoryCredentialStore();
        await users.SetAsync("alice", ScramVerifier.Create(Password.From("right"), iterations: ScramVerifier.MinIterations));
        var notes = new NotingLimiter();
        await using var listener = Listen(
            _world.ServerOptions with { Credentials = Require.CertificateAndUser(SaslServer.Scram(users)) with { AttemptLimiter = notes } });
        var socket = await DialAsync(listener, Balancer);

        await socket.SendAsync(ProxyHeaders.Version2("198.51.100.7"));
        await using var client = await new MutualTlsClient(_world.ClientOptions with { Credentials = Login.WithPassword("alice", "right") })
            .UpgradeAsync(socket, "server.test").WaitAsync(ConnectedPair.Deadline);

        notes.Attempts.Should().NotBeEmpty().And.OnlyContain(attempt => Equals(attempt.Address, IPAddress.Parse("198.51.100.7")));
    }

    private static IEnumerable<TestCaseData> Refused()
    {
        static TestCaseData Case(string name, byte[] says, bool thenCloses, RejectionReason reason, HandshakeFailure failure) =>
            new TestCaseData(says, thenCloses, reason, failure).SetArgDisplayNames(name);

        var text = ProxyHeaders.Version1("198.51.100.7");
        var binary = ProxyHeaders.Version2("198.51.100.7");
        var (missing, malformed, incomplete) =
            (RejectionReason.ProxyHeaderMissing, RejectionReason.ProxyHeaderMalformed, RejectionReason.ProxyHeaderIncomplete);
        yield return Case("HTTP", "GET / HTTP/1.1\r\n\r\n"u8.ToArray(), false, missing, HandshakeFailure.NoAgreement);
        yield return Case("one octet that begins none", [0], false, missing, HandshakeFailure.NoAgreement);
        yield return Case("a line without an end", [.. "PROXY UNKNOWN"u8, .. new byte[200]], false, malformed, HandshakeFailure.PeerMisbehaved);
        yield return Case("65,535 octets announced", [.. ProxyHeader.Signature, 0x21, 0x11, 0xff, 0xff], false, malformed,
            HandshakeFailure.PeerMisbehaved);
        yield return Case("version 3", [.. ProxyHeader.Signature, 0x31, 0x11, 0, 12], false, malformed, HandshakeFailure.PeerMisbehaved);
        yield return Case("1, cut and closed", text[..20], true, incomplete, HandshakeFailure.TransportLost);
        yield return Case("2, cut and closed", binary[..20], true, incomplete, HandshakeFailure.TransportLost);
        yield return Case("1, cut and silent", text[..20], false, incomplete, HandshakeFailure.TimedOut);
        yield return Case("2, cut and silent", binary[..20], false, incomplete, HandshakeFailure.TimedOut);
        yield return Case("silent", [], false, RejectionReason.NoClientHello, HandshakeFailure.TimedOut);
        yield return Case("header, then silence", binary, false, RejectionReason.NoClientHello, HandshakeFailure.TimedOut);
        yield return Case("header, then the end", binary, true, RejectionReason.NoClientHello, HandshakeFailure.TransportLost);
        yield return Case(
            "header, then half a hello", [.. text, 22, 3, 1], true, RejectionReason.IncompleteClientHello, HandshakeFailure.TransportLost);
        yield return Case(
            "header, half a hello and silence", [.. text, 22, 3, 1], false, RejectionReason.IncompleteClientHello, HandshakeFailure.TimedOut);
        yield return Case("header, then HTTP", [.. text, .. "GET / HTTP/1.1\r\n"u8], false, RejectionReason.PlainHttp, HandshakeFailure.NoAgreement);
        yield return Case("two headers", [.. text, .. binary], false, RejectionReason.NotTls, HandshakeFailure.NoAgreement);
        yield return Case("two headers, the other way", [.. binary, .. text], false, RejectionReason.NotTls, HandshakeFailure.NoAgreement);
    }

    [TestCaseSource(nameof(Refused))]
    public async Task What_a_trusted_proxy_may_not_say_has_a_reason(byte[] says, bool thenCloses, RejectionReason reason, HandshakeFailure failure)
    {
        // The server begins to read when all is there.
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var serving = new TaskCompletionSource<Socket>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var listener = Listen(_world.ServerOptions with
        {
            TimeProvider = clock,
            ConfigureSocket = server =>
            {
                SpinWait.SpinUntil(() => server.Available == says.Length, ConnectedPair.Deadline);
                serving.SetResult(server);
            },
        });
        using var socket = await DialAsync(listener, Balancer);
        await socket.SendAsync(says);
        if (thenCloses)
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        else if (failure == HandshakeFailure.TimedOut)
        {
            await UntilAllIsTakenAsync(await serving.Task.WaitAsync(ConnectedPair.Deadline));
            clock.Advance(_world.ServerOptions.HandshakeTimeout);
        }
        else
        {
            await LeaveAfterTheAnswerAsync(socket);
        }

        var refusal = await NextFailureAsync();

        (refusal.Failure, refusal.Reason).Should().Be((failure, reason), refusal.Message);
        var isKnown = says.AsSpan().StartsWith(ProxyHeaders.Version1("198.51.100.7"))
            || says.AsSpan().StartsWith(ProxyHeaders.Version2("198.51.100.7"));
        ((IPEndPoint)refusal.RemoteEndPoint!).Address.ToString().Should().Be(isKnown ? "198.51.100.7" : Balancer);
    }

    [Test]
    public async Task A_client_that_a_proxy_passes_on_without_a_header_is_told_that_it_is_not_at_fault()
    {
        await using var listener = Listen();
        var socket = await DialAsync(listener, Balancer);

        var refused = (await End.OfAsync(new MutualTlsClient(_world.ClientOptions).UpgradeAsync(socket, "server.test"))).Refusal;

        refused.PeerReason.Should().Be(PublicReason.InternalError);
        var refusal = await NextFailureAsync();
        (refusal.Failure, refusal.Reason).Should().Be((HandshakeFailure.NoAgreement, RejectionReason.ProxyHeaderMissing));
        refusal.Rejection.Presented.Should().Be("a TLS record");
    }

    [TestCase(1, true)]
    [TestCase(2, true)]
    [TestCase(1, false)]
    [TestCase(2, false)]
    public async Task A_header_from_anywhere_else_is_no_TLS_and_the_message_names_the_option(int version, bool hasOption)
    {
        await using var listener = Listen(null, options => hasOption ? options : options with { ProxyProtocol = null });
        using var socket = await DialAsync(listener, hasOption ? Stranger : Balancer);
        var own = socket.LocalEndPoint;
        await socket.SendAsync(version == 1 ? ProxyHeaders.Version1("198.51.100.7") : ProxyHeaders.Version2("198.51.100.7"));
        await LeaveAfterTheAnswerAsync(socket);

        var refusal = await NextFailureAsync();

        refusal.Reason.Should().Be(RejectionReason.NotTls);
        refusal.Message.Should().ContainAll($"PROXY protocol header of version {version}", "ProxyProtocol.TrustedProxies");
        refusal.RemoteEndPoint.Should().Be(own, "what a stranger claims counts for nothing");
    }

    [Test]
    public async Task From_anywhere_else_TLS_begins_at_once()
    {
        await using var listener = Listen();
        var socket = await DialAsync(listener, Stranger);
        var own = socket.LocalEndPoint;

        await using var client = await ShakeAsync(socket);
        await using var served = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);

        served.RemoteEndPoint.Should().Be(own);
    }

    private static IEnumerable<TestCaseData> Probes()
    {
        foreach (var isReset in new[] { false, true })
        {
            yield return new TestCaseData(Array.Empty<byte>(), isReset).SetArgDisplayNames($"nothing, reset {isReset}");
            yield return new TestCaseData(ProxyHeaders.Local(), isReset).SetArgDisplayNames($"LOCAL, reset {isReset}");
            yield return new TestCaseData("PROXY UNKNOWN\r\n"u8.ToArray(), isReset).SetArgDisplayNames($"UNKNOWN, reset {isReset}");
        }
    }

    [TestCaseSource(nameof(Probes))]
    public async Task A_health_check_is_no_warning(byte[] says, bool isReset)
    {
        await using var listener = Listen();
        var socket = await DialAsync(listener, Balancer);
        await socket.SendAsync(says);
        Leave(socket, isReset);

        var refusal = await NextFailureAsync();

        // A reset may take what was sent before it along.
        (refusal.Failure, refusal.Reason).Should().Be((HandshakeFailure.TransportLost, RejectionReason.NoClientHello));
        (await _log.NextAsync(1006)).Values["Reason"].Should().Be("no_client_hello");
    }

    [Test]
    public async Task Before_the_header_the_proxy_is_no_address_and_the_bound_for_all_holds()
    {
        await using var listener = Listen(null, options => options with { MaxPendingHellosPerAddress = 1, MaxPendingHellos = 3 });
        using var first = await DialAsync(listener, Balancer);
        using var second = await DialAsync(listener, Balancer);
        using var third = await DialAsync(listener, Balancer);
        using var fourth = await DialAsync(listener, Balancer);

        (await NextFailureAsync()).Reason.Should().Be(RejectionReason.EvictedBeforeHello);

        // The oldest of all by when the listener took it in, which under load is not when it was dialled.
        (await await Task.WhenAny(new[] { first, second, third, fourth }.Select(IsOverAsync))).Should().BeTrue();
        _failures.Reader.TryRead(out _).Should().BeFalse("one address may hold as many as there is room for");
    }

    [TestCase("198.51.100.7", true)]
    [TestCase("::ffff:198.51.100.7", true)]
    [TestCase("198.51.100.8", false)]
    public async Task After_the_header_the_bound_for_one_address_holds_for_the_clients(string other, bool isTheSame)
    {
        await using var listener = Listen(null, options => options with { MaxPendingHellosPerAddress = 1 });
        using var first = await DialAsync(listener, Balancer);
        await first.SendAsync(ProxyHeaders.Version2("198.51.100.7", 1));
        using var second = await DialAsync(listener, Balancer);
        await second.SendAsync(ProxyHeaders.Version2(other, 2));
        if (isTheSame)
        {
            var refusal = await NextFailureAsync();
            refusal.Reason.Should().Be(RejectionReason.EvictedBeforeHello);
            ((IPEndPoint)refusal.RemoteEndPoint!).Port.Should().BeOneOf(1, 2);
        }
        else
        {
            // One that is the same as the second comes after both, so that they have been seen.
            using var third = await DialAsync(listener, Balancer);
            await third.SendAsync(ProxyHeaders.Version2(other, 3));
            ((IPEndPoint)(await NextFailureAsync()).RemoteEndPoint!).Address.Should().Be(IPAddress.Parse(other));
        }
    }

    [Test]
    [NonParallelizable] // it opens thousands of sockets
    public async Task Thousands_of_sources_behind_one_proxy_are_bounded_together_and_delay_nobody()
    {
        const int Most = 200;
        const int Sources = 3000;
        await using var listener = Listen(null, options => options with { MaxPendingHellos = Most, MaxPendingHellosPerAddress = 2 });
        var silent = new List<Socket>();
        for (var number = 0; number < Sources; number++)
        {
            var socket = await DialAsync(listener, Balancer);
            await socket.SendAsync(ProxyHeaders.Version2($"2001:db8:{number:x}::1"));
            silent.Add(socket);
        }

        for (var ended = 0; ended < Sources - Most; ended++)
        {
            (await NextFailureAsync()).Reason.Should().Be(RejectionReason.EvictedBeforeHello);
        }

        var honest = await DialAsync(listener, Balancer);
        await honest.SendAsync(ProxyHeaders.Version2("198.51.100.7"));
        await using var client = await ShakeAsync(honest);
        await using var served = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
        served.Peer.Name.Should().Be("client.test");
        silent.ForEach(socket => socket.Dispose());
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_proxy_on_this_machine_may_come_through_a_Unix_domain_socket(bool isTrusted)
    {
        using var folder = new TemporaryFolder();
        var path = new UnixDomainSocketEndPoint(folder["s"]);
        await using var listener = Listen(null, options => options with
        {
            EndPoint = path,
            ProxyProtocol = new ProxyProtocol { TrustedProxies = [IPNetwork.Parse("127.0.0.1/32")], TrustUnixSockets = isTrusted },
        });
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(path).WaitAsync(ConnectedPair.Deadline);
        await socket.SendAsync(ProxyHeaders.Version2("198.51.100.7"));

        var client = End.OfAsync(new MutualTlsClient(_world.ClientOptions).UpgradeAsync(socket, "server.test"));

        if (isTrusted)
        {
            await using var served = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
            served.RemoteEndPoint.Should().Be(IPEndPoint.Parse("198.51.100.7:4711"));
            await (await client).Accepted.DisposeAsync();
        }
        else
        {
            (await NextFailureAsync()).Reason.Should().Be(RejectionReason.NotTls);
            (await client).Failure.Should().NotBeNull();
        }
    }

    /// <summary>A server that has refused lingers for as long as the other side stays, a second at most.</summary>
    private static async Task LeaveAfterTheAnswerAsync(Socket socket)
    {
        while (!await IsOverAsync(socket))
        {
        }

        socket.Dispose();
    }

    private static async Task UntilAllIsTakenAsync(Socket server)
    {
        using var deadline = new CancellationTokenSource(ConnectedPair.Deadline);
        while (server.Available > 0)
        {
            deadline.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static void Leave(Socket socket, bool isReset)
    {
        if (isReset)
        {
            socket.LingerState = new LingerOption(true, 0);
        }

        socket.Dispose();
    }

    private static async Task<Socket> DialAsync(MutualTlsListener listener, string from)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)listener.LocalEndPoint).Port)).WaitAsync(ConnectedPair.Deadline);
        return socket;
    }

    private static async Task<bool> IsOverAsync(Socket socket)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[1]).WaitAsync(ConnectedPair.Deadline) == 0;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    private Task<MutualTlsConnection> ShakeAsync(Socket socket) =>
        new MutualTlsClient(_world.ClientOptions).UpgradeAsync(socket, "server.test").WaitAsync(ConnectedPair.Deadline);

    private async Task<HandshakeException> NextFailureAsync()
    {
        using var deadline = new CancellationTokenSource(ConnectedPair.Deadline);
        return await _failures.Reader.ReadAsync(deadline.Token);
    }

    private MutualTlsListener Listen(
        MutualTlsServerOptions? server = null, Func<MutualTlsListenerOptions, MutualTlsListenerOptions>? change = null)
    {
        var options = new MutualTlsListenerOptions
        {
            Server = new MutualTlsServer((server ?? _world.ServerOptions) with { LoggerFactory = _log }),
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            ProxyProtocol = new ProxyProtocol { TrustedProxies = [IPNetwork.Parse("127.0.0.1/32")] },
            OnHandshakeFailed = failure => _failures.Writer.TryWrite(failure),
        };
        return MutualTlsListener.Start(change?.Invoke(options) ?? options);
    }
}
