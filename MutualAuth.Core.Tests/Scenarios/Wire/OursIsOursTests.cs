using System.Net.Sockets;
using System.Security.Cryptography;
using MutualAuth.Credentials;
using MutualAuth.Paths;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>
/// What a source of ours throws is a fault of ours: neither the peer's misbehaviour, nor its lateness, nor the loss of the transport.
/// </summary>
[CancelAfter(60000)]
public sealed class OursIsOursTests
{
    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World();

    [TearDown]
    public void TearDown() => _world.Dispose();

    public static IEnumerable<TestCaseData> Faults()
    {
        Exception[] faults =
        [
            new MaterialException("The certificate is gone."),
            new InvalidOperationException("bug"),
            new TimeoutException(),
            new UnauthorizedAccessException(),
            new CryptographicException("the token is gone"),
            new IOException("the disk is gone"),
            new SocketException((int)SocketError.ConnectionReset),
            new ObjectDisposedException("vault"),
            new OperationCanceledException(),
            new System.Security.Authentication.AuthenticationException("vault"),
        ];
        foreach (var fault in faults)
        {
            foreach (var weAreServer in new[] { false, true })
            {
                yield return new TestCaseData(fault, weAreServer).SetArgDisplayNames(fault.GetType().Name, weAreServer ? "server" : "client");
            }
        }
    }

    [TestCaseSource(nameof(Faults))]
    public async Task An_identity_source_that_throws(Exception fault, bool weAreServer)
    {
        var client = weAreServer ? _world.ClientOptions : _world.ClientOptions with { Identity = ClientIdentity.From(new Broken(fault)) };
        var server = weAreServer ? _world.ServerOptions with { Identity = new Broken(fault) } : _world.ServerOptions;

        await AssertOursAsync(client, server, fault, weAreServer);
    }

    [TestCaseSource(nameof(Faults))]
    public async Task A_trust_source_that_throws(Exception fault, bool weAreServer)
    {
        var client = weAreServer ? _world.ClientOptions : _world.ClientOptions with { Trust = new BrokenTrust(fault) };
        var server = weAreServer ? _world.ServerOptions with { Trust = new BrokenTrust(fault) } : _world.ServerOptions;

        await AssertOursAsync(client, server, null, weAreServer);
    }

    [TestCaseSource(nameof(Faults))]
    public async Task A_selector_or_a_choice_by_server_that_throws(Exception fault, bool weAreServer)
    {
        var client = weAreServer ? _world.ClientOptions : _world.ClientOptions with { Identity = ClientIdentity.ByServer(_ => throw fault) };
        var server = weAreServer ? _world.ServerOptions with { SelectServer = (_, _, _) => throw fault } : _world.ServerOptions;

        await AssertOursAsync(client, server, fault, weAreServer);
    }

    [TestCaseSource(nameof(Faults))]
    public async Task A_clock_that_throws(Exception fault, bool weAreServer)
    {
        var client = weAreServer ? _world.ClientOptions : _world.ClientOptions with { TimeProvider = new BrokenClock(fault) };
        var server = weAreServer ? _world.ServerOptions with { TimeProvider = new BrokenClock(fault) } : _world.ServerOptions;

        await AssertOursAsync(client, server, null, weAreServer);
    }

    [Test]
    public async Task Anchors_that_cannot_be_named_to_clients()
    {
        var server = _world.ServerOptions with { SendAcceptableIssuers = true, Trust = new BrokenTrust(new InvalidOperationException("bug")) };

        await AssertOursAsync(_world.ClientOptions, server, null, weAreServer: true);
    }

    [Test]
    public async Task A_peer_that_is_at_fault_stays_at_fault([Values] bool weAreServer)
    {
        var client = weAreServer ? _world.ClientOptions : _world.ClientOptions with { Trust = _world.Foreign.ToTrustAnchors() };
        var server = weAreServer ? _world.ServerOptions with { Trust = _world.Foreign.ToTrustAnchors() } : _world.ServerOptions;

        await using var ends = await ConnectedPair.ShakeAsync(client, server);

        (weAreServer ? ends.Server : ends.Client).Refusal.Failure.Should().Be(HandshakeFailure.PeerRejected);
    }

    private static async Task AssertOursAsync(MutualTlsClientOptions client, MutualTlsServerOptions server, Exception? fault, bool weAreServer)
    {
        await using var ends = await ConnectedPair.ShakeAsync(client, server);

        var refusal = (weAreServer ? ends.Server : ends.Client).Refusal;
        refusal.Failure.Should().Be(HandshakeFailure.OurFault);
        if (fault is not null)
        {
            refusal.InnerException.Should().BeSameAs(fault);
        }

        if (weAreServer)
        {
            ends.Client.Refusal.PeerReason.Should().Be(PublicReason.InternalError, "the client is told that it is not the one");
        }
        else
        {
            ends.Server.Connection.Should().BeNull();
        }
    }

    private sealed class Broken(Exception fault) : IIdentitySource
    {
        public Identity Current => throw fault;
    }

    private sealed class BrokenTrust(Exception fault) : ITrustAnchorSource
    {
        public TrustAnchors Current => throw fault;
    }

    /// <summary>
    /// The first call of the clock fails, then only the second, and so on, until there is no such call: each handshake has one outcome, and where
    /// it gives no connection the fault is ours.
    /// </summary>
    [Test]
    public async Task A_clock_that_throws_at_any_of_its_calls_leaves_one_outcome([Values] bool weAreServer, [Values] bool forEver,
        [Values] bool logsIn)
    {
        for (var call = 0; ; call++)
        {
            call.Should().BeLessThan(200);
            var log = new EventLog();
            var clock = new FailingClock(call, forEver);
            var policy = new RevalidationPolicy { MaximumAge = TimeSpan.FromHours(1), IdleTimeout = TimeSpan.FromHours(1) };
            var server = _world.ServerOptions;
            var client = _world.ClientOptions;
            if (logsIn)
            {
                server = server with { Credentials = Require.CertificateAndUser(SaslServer.Scram(Tests.Credentials.Sasl.Store(("alice", "right")))) };
                client = client with { Credentials = Login.WithPassword("alice", "right") };
            }

            var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
            var listening = new MutualTlsServer(weAreServer ? server with { TimeProvider = clock, LoggerFactory = log, Revalidation = policy }
                : server);
            var dialling = new MutualTlsClient(weAreServer ? client
                : client with { TimeProvider = clock, LoggerFactory = log, Revalidation = policy });
            clock.Arm();
            await using var ends = await ConnectedPair.ShakeAsync(
                dialling.UpgradeAsync(clientSocket, "server.test"), listening.AcceptAsync(serverSocket));

            var ours = weAreServer ? ends.Server : ends.Client;
            log.Drain().Count(entry => entry.Id is >= 1000 and <= 1005).Should().Be(1, $"call {call} failed");
            if (ours.Connection is null)
            {
                // Within a login it is the login's own reason, of which the client hears as much.
                if (ours.Refusal.Reason != RejectionReason.CredentialCheckFaulted)
                {
                    ours.Refusal.Failure.Should().Be(HandshakeFailure.OurFault, $"call {call} failed");
                }

                (weAreServer ? serverSocket : clientSocket).SafeHandle.IsClosed.Should().BeTrue();
                (weAreServer ? listening.Live : dialling.Live).Count.Should().Be(0);
            }

            if (!clock.HasFailed)
            {
                ours.Accepted.IsConfirmed.Should().BeTrue();
                return;
            }
        }
    }

    [Test]
    public async Task A_stream_whose_properties_throw()
    {
        var refusal = (await End.OfAsync(Task.Run(() => new MutualTlsServer(_world.ServerOptions).AcceptAsync(new Throwing())))).Refusal;

        (refusal.Failure, refusal.Reason).Should().Be((HandshakeFailure.OurFault, RejectionReason.TransportUnusable));
    }

    [Test]
    public async Task A_listener_outlives_a_clock_that_throws_and_tells_of_it()
    {
        var clock = new FailingClock(1, forEver: false); // the first call is for the duration, and that is no reason to fail
        var told = new TaskCompletionSource<HandshakeException>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var listener = MutualTlsListener.Start(new()
        {
            Server = new MutualTlsServer(_world.ServerOptions with { TimeProvider = clock }),
            EndPoint = new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0),
            OnHandshakeFailed = failure => told.TrySetResult(failure),
        });
        clock.Arm();
        (await End.OfAsync(new MutualTlsClient(_world.ClientOptions).ConnectAsync(listener.LocalEndPoint, "server.test"))).Connection
            .Should().BeNull();

        var outcome = await told.Task.WaitAsync(ConnectedPair.Deadline);
        (outcome.Failure, outcome.Reason).Should().Be((HandshakeFailure.OurFault, RejectionReason.SourceFaulted));
        await using var client = await new MutualTlsClient(_world.ClientOptions with { CloseTimeout = World.Moment })
            .ConnectAsync(listener.LocalEndPoint, "server.test").WaitAsync(ConnectedPair.Deadline);
        client.IsConfirmed.Should().BeTrue();
    }

    [Test]
    public async Task A_clock_that_throws_while_dialling()
    {
        var clock = new FailingClock(0, forEver: true);
        var client = new MutualTlsClient(_world.ClientOptions with { TimeProvider = clock });
        clock.Arm();

        var refusal = (await End.OfAsync(client.ConnectAsync("127.0.0.1", 1))).Refusal;

        (refusal.Failure, refusal.Reason).Should().Be((HandshakeFailure.OurFault, RejectionReason.SourceFaulted));
    }

    /// <summary>Fails at one of its calls, counted from the moment it is armed, or from that one on.</summary>
    private sealed class FailingClock(int failsAt, bool forEver) : TimeProvider
    {
        private int _calls;
        private volatile bool _isArmed;

        internal bool HasFailed { get; private set; }

        internal void Arm() => _isArmed = true;

        public override DateTimeOffset GetUtcNow()
        {
            Pass();
            return base.GetUtcNow();
        }

        public override long GetTimestamp()
        {
            Pass();
            return base.GetTimestamp();
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Pass();
            return base.CreateTimer(callback, state, dueTime, period);
        }

        private void Pass()
        {
            if (_isArmed && Interlocked.Increment(ref _calls) - 1 is var call && (call == failsAt || (forEver && call > failsAt)))
            {
                HasFailed = true;
                throw new InvalidOperationException("The clock is broken.");
            }
        }
    }

    private sealed class Throwing : MemoryStream
    {
        public override bool CanRead => throw new InvalidOperationException("bug");
    }

    private sealed class BrokenClock(Exception fault) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => throw fault;
    }
}
