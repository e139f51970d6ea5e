using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Authorization;
using MutualAuth.Credentials;
using MutualAuth.Names;
using MutualAuth.Paths;
using MutualAuth.Pinning;
using MutualAuth.Reloading;
using MutualAuth.Revocation;
using MutualAuth.Testing.Transports;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>
/// Whatever the application gives a handshake to ask may hold the thread that asks it. The deadline and the caller's token hold all the same.
/// </summary>
[CancelAfter(120000)]
public sealed class BlockingSourcesTests
{
    private World _world = null!;
    private FakeTimeProvider _clock = null!;
    private Hold _hold = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new World();
        _clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        _hold = new Hold();
    }

    [TearDown]
    public void TearDown()
    {
        _hold.Release();
        _world.Dispose();
    }

    public enum Source
    {
        Identity,
        Trust,
        Lists,
        Denied,
        Pins,
        Rule,
        Condition,
        Validator,
        Hook,
        Clock,
        Subscription,
        AcceptableIssuers,
        ChoiceByServer,
        Token,
    }

    private static IEnumerable<TestCaseData> Cases() =>
        from source in Enum.GetValues<Source>()
        from weAreServer in new[] { false, true }
        where source != Source.AcceptableIssuers || weAreServer
        where source is not (Source.ChoiceByServer or Source.Token) || !weAreServer
        from onStreams in new[] { false, true }
        where source != Source.Hook || !onStreams
        select new TestCaseData(source, weAreServer, onStreams);

    [TestCaseSource(nameof(Cases))]
    public async Task One_that_holds_its_thread_is_left_at_the_deadline(Source source, bool weAreServer, bool onStreams)
    {
        await using var wire = new DuplexPair();
        var (ours, peer, _) = await BeginAsync(source, weAreServer, onStreams ? wire : null, CancellationToken.None);
        await _hold.Entered.WaitAsync(ConnectedPair.Deadline);

        _clock.Advance(TimeSpan.FromSeconds(10));
        var refusal = (await ours).Refusal;

        (refusal.Failure, refusal.Reason).Should().Be((HandshakeFailure.TimedOut, RejectionReason.HandshakeTimedOut));
        refusal.Rejection.Presented.Should().Contain("of ours", "it is not the peer that is late");
        (await peer).Connection.Should().BeNull();
    }

    /// <summary>The neighbour: what it holds is the same, and it lets go.</summary>
    [TestCaseSource(nameof(Cases))]
    public async Task One_that_lets_go_in_time_serves(Source source, bool weAreServer, bool onStreams)
    {
        await using var wire = new DuplexPair();
        var (ours, peer, _) = await BeginAsync(source, weAreServer, onStreams ? wire : null, CancellationToken.None);
        await _hold.Entered.WaitAsync(ConnectedPair.Deadline);

        _hold.Release();

        var client = (await peer).Accepted;
        var server = (await ours).Accepted;
        await using var both = new Together(client, server);
        await client.Stream.WriteAsync("x"u8.ToArray());
        (await server.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline)).Should().Be(1);
    }

    [TestCase(Source.Identity)]
    [TestCase(Source.Validator)]
    [TestCase(Source.Trust)]
    public async Task One_that_holds_its_thread_is_left_when_the_caller_gives_up(Source source)
    {
        using var caller = new CancellationTokenSource();
        var (ours, peer, socket) = await BeginAsync(source, weAreServer: true, null, caller.Token);
        await _hold.Entered.WaitAsync(ConnectedPair.Deadline);

        await caller.CancelAsync();

        (await ours).Failure.Should().BeOfType<OperationCanceledException>().Which.CancellationToken.Should().Be(caller.Token);
        (await peer).Connection.Should().BeNull();
        socket!.SafeHandle.IsClosed.Should().BeTrue();
    }

    /// <summary>Those that hold threads keep no place once their handshakes are over, also when they come back late.</summary>
    [TestCase(Source.Identity)]
    [TestCase(Source.Validator)]
    public async Task A_listener_serves_others_when_the_deadline_of_one_that_is_held_is_over(Source source)
    {
        var failed = new TaskCompletionSource<HandshakeException>(TaskCreationOptions.RunContinuationsAsynchronously);
        var watched = new ReloadableDenyList(DenyList.Empty);
        var server = new MutualTlsServer(Server(source) with { DenyList = watched });
        await using var listener = MutualTlsListener.Start(new()
        {
            Server = server,
            EndPoint = new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0),
            MaxConcurrentHandshakes = 1,
            OnHandshakeFailed = failure => failed.TrySetResult(failure),
        });
        _hold.Arm();
        var held = End.OfAsync(new MutualTlsClient(_world.ClientOptions).ConnectAsync(listener.LocalEndPoint, "server.test"));
        await _hold.Entered.WaitAsync(ConnectedPair.Deadline);

        _clock.Advance(TimeSpan.FromSeconds(10));
        (await failed.Task.WaitAsync(ConnectedPair.Deadline)).Failure.Should().Be(HandshakeFailure.TimedOut);
        _hold.Release();

        for (var count = 0; count < 3; count++)
        {
            var client = await new MutualTlsClient(_world.ClientOptions).ConnectAsync(listener.LocalEndPoint, "server.test")
                .WaitAsync(ConnectedPair.Deadline);
            var accepted = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
            await using var both = new Together(client, accepted);
        }

        (await held).Connection.Should().BeNull();
        watched.IsWatched.Should().BeFalse("nobody is left who stands on it");
    }

    private async Task<(Task<End> ApplicationCalls, Task<End> Peer, Socket? OurSocket)> BeginAsync(Source source, bool weAreServer, DuplexPair? wire,
        CancellationToken caller)
    {
        var (clientSocket, serverSocket) = wire is null ? await ConnectedPair.SocketPairAsync() : default;
        var server = new MutualTlsServer(weAreServer ? Server(source) : _world.ServerOptions with { Credentials = LetIn(source) });
        var client = new MutualTlsClient(weAreServer ? _world.ClientOptions : Client(source));
        _hold.Arm();
        var accepting = End.OfAsync(Task.Run(() => wire is null ? server.AcceptAsync(serverSocket, weAreServer ? caller : default)
            : server.AcceptAsync(wire.Server, weAreServer ? caller : default)));
        var upgrading = End.OfAsync(Task.Run(() => wire is null
            ? client.UpgradeAsync(clientSocket, "server.test", weAreServer ? default : caller)
            : client.UpgradeAsync(wire.Client, "server.test", weAreServer ? default : caller)));
        return weAreServer ? (accepting, upgrading, serverSocket) : (upgrading, accepting, clientSocket);
    }

    private static CredentialPolicy LetIn(Source source) =>
        source == Source.Token ? Require.CertificateAndUser(SaslServer.DangerouslyUnboundTokens(new AnyToken())) : Require.Certificate;

    private MutualTlsServerOptions Server(Source source)
    {
        var options = _world.ServerOptions with { TimeProvider = _clock };
        return source switch
        {
            Source.Identity => options with { Identity = new HeldIdentity(_hold, _world.ServerIdentity) },
            Source.Trust => options with { Trust = new HeldTrust(_hold, _world.Trust) },
            Source.AcceptableIssuers => options with { Trust = new HeldTrust(_hold, _world.Trust), SendAcceptableIssuers = true },
            Source.Lists => options with { Revocation = new RevocationPolicy { Lists = new HeldLists(_hold) } },
            Source.Denied => options with { DenyList = new HeldDenyList(_hold) },
            Source.Pins => options with { Pins = new HeldPins(_hold) },
            Source.Rule => options with { Authorization = Authorize.From(new HeldRule(_hold, Authorize.AnyTrustedPeer)) },
            Source.Condition => options with { Authorization = Authorize.Where("held", _ => _hold.Pass(true)) },
            Source.Validator => options with { Validators = [new HeldValidator(_hold)] },
            Source.Hook => options with { ConfigureSocket = _ => _hold.Pass(true) },
            Source.Clock => options with { TimeProvider = new HeldClock(_hold, _clock) },
            _ => options with { DenyList = new HeldSubscription(_hold) },
        };
    }

    private MutualTlsClientOptions Client(Source source)
    {
        var options = _world.ClientOptions with { TimeProvider = _clock };
        return source switch
        {
            Source.Identity => options with { Identity = ClientIdentity.From(new HeldIdentity(_hold, _world.ClientIdentity)) },
            Source.ChoiceByServer => options with { Identity = ClientIdentity.ByServer(_ => _hold.Pass(_world.ClientIdentity)) },
            Source.Token => options with { Credentials = Login.WithToken(_ => new ValueTask<string>(_hold.Pass("token"))) },
            Source.Trust => options with { Trust = new HeldTrust(_hold, _world.Trust) },
            Source.Lists => options with { Revocation = new RevocationPolicy { Lists = new HeldLists(_hold) } },
            Source.Denied => options with { DenyList = new HeldDenyList(_hold) },
            Source.Pins => options with { Pins = new HeldPins(_hold) },
            Source.Rule => options with { Authorization = Authorize.From(new HeldRule(_hold, Authorize.ServerName)) },
            Source.Condition => options with { Authorization = Authorize.Where("held", _ => _hold.Pass(true)) },
            Source.Validator => options with { Validators = [new HeldValidator(_hold)] },
            Source.Hook => options with { ConfigureSocket = _ => _hold.Pass(true) },
            Source.Clock => options with { TimeProvider = new HeldClock(_hold, _clock) },
            _ => options with { DenyList = new HeldSubscription(_hold) },
        };
    }

    /// <summary>Holds the first thread that comes, once it is armed, until it is told to let go.</summary>
    private sealed class Hold
    {
        private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _gate = new();
        private int _isArmed;

        internal Task Entered => _entered.Task;

        internal void Arm() => Volatile.Write(ref _isArmed, 1);

        internal void Release() => _gate.TrySetResult();

        internal T Pass<T>(T what)
        {
            if (Interlocked.Exchange(ref _isArmed, 0) == 1)
            {
                _entered.TrySetResult();
                _gate.Task.Wait(CancellationToken.None);
            }

            return what;
        }
    }

    private sealed class HeldIdentity(Hold hold, Identity identity) : IIdentitySource
    {
        public Identity Current => hold.Pass(identity);
    }

    private sealed class HeldTrust(Hold hold, TrustAnchors anchors) : ITrustAnchorSource
    {
        public TrustAnchors Current => hold.Pass(anchors);
    }

    private sealed class HeldLists(Hold hold) : IRevocationListSource
    {
        public RevocationLists Current => hold.Pass(RevocationLists.DangerouslyUnchecked);
    }

    private sealed class HeldDenyList(Hold hold) : IDenyListSource
    {
        public DenyList Current => hold.Pass(DenyList.Empty);
    }

    private sealed class HeldPins(Hold hold) : IPinSource
    {
        private static readonly PinSet s_pins = PinSet.Of(SpkiPin.OfSubjectPublicKeyInfo("A"u8), SpkiPin.OfSubjectPublicKeyInfo("B"u8)).ReportOnly();

        public PinSet Current => hold.Pass(s_pins);
    }

    private sealed class HeldRule(Hold hold, AuthorizationRule rule) : IAuthorizationSource
    {
        public AuthorizationRule Current => hold.Pass(rule);
    }

    private sealed class HeldValidator(Hold hold) : ICertificateValidator
    {
        public Rejection? Examine(CertificateContext context) => hold.Pass<Rejection?>(null);
    }

    private sealed class HeldClock(Hold hold, TimeProvider time) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => hold.Pass(time.GetUtcNow());

        public override long GetTimestamp() => time.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            time.CreateTimer(callback, state, dueTime, period);
    }

    private sealed class HeldSubscription(Hold hold) : IDenyListSource, IReloadable
    {
        public event EventHandler? Replaced
        {
            add => hold.Pass(true);
            remove => hold.Pass(true);
        }

        public DenyList Current => DenyList.Empty;
    }

    private sealed class AnyToken : ITokenValidator
    {
        public ValueTask<TokenVerdict> ValidateAsync(string token, System.Net.IPAddress? remoteAddress, CancellationToken cancellationToken) =>
            new(TokenVerdict.Valid("alice", null));
    }
}
