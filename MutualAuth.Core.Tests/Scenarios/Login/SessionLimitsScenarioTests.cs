using MutualAuth.Credentials;
using MutualAuth.Names;
using MutualAuth.Tests.Credentials;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Scenarios;

/// <summary>How many connections a user and a device may have, over real sockets.</summary>
[CancelAfter(60000)]
public sealed class SessionLimitsScenarioTests
{
    private World _world = null!;
    private MemoryCredentialStore _users = null!;

    [SetUp]
    public async Task SetUp() => (_world, _users) = (new World(), await TestUsers.CreateAsync());

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task One_more_than_the_limit_is_refused_with_its_reason_until_one_has_ended()
    {
        var limits = new SessionLimits { MaxPerUser = 2 };
        var server = new MutualTlsServer(Options(limits));
        await using var first = await LogInAsync(server);
        await using var second = await LogInAsync(server);
        limits.CountOfUser("alice").Should().Be(2);

        await using var third = await LogInAsync(server);
        third.Server.Refusal.Reason.Should().Be(RejectionReason.TooManySessions);
        third.Client.Refusal.PeerReason.Should().Be(PublicReason.TryAgainLater);
        await using var other = await LogInAsync(server, "bob", "battery");
        other.Server.Accepted.Peer.User!.Name.Should().Be("bob");

        await first.DisposeAsync();
        await using var fourth = await LogInAsync(server);
        fourth.Server.Accepted.Peer.User!.Name.Should().Be("alice");
    }

    [Test]
    public async Task Servers_with_the_same_limits_count_together_and_others_do_not()
    {
        var limits = new SessionLimits { MaxPerUser = 1 };
        await using var first = await LogInAsync(new MutualTlsServer(Options(limits)));
        first.Server.Accepted.Peer.User!.Name.Should().Be("alice");

        await using var second = await LogInAsync(new MutualTlsServer(Options(limits)));
        await using var elsewhere = await LogInAsync(new MutualTlsServer(Options(new SessionLimits { MaxPerUser = 1 })));

        second.Server.Refusal.Reason.Should().Be(RejectionReason.TooManySessions);
        elsewhere.Server.Accepted.Peer.User!.Name.Should().Be("alice");
    }

    [Test]
    public async Task The_oldest_is_cut_before_the_application_has_the_new_one()
    {
        var limits = new SessionLimits { MaxPerUser = 1, WhenFull = WhenSessionsAreFull.EndOldest };
        var server = new MutualTlsServer(Options(limits));
        await using var first = await LogInAsync(server);
        var old = first.Server.Accepted;

        await using var second = await LogInAsync(server);

        second.Server.Accepted.Invalidation.Should().BeNull();
        old.Invalidation!.Rejection.Reason.Should().Be(RejectionReason.SessionReplaced);
        (await FluentActions.Awaiting(() => old.Stream.ReadAsync(new byte[1]).AsTask()).Should().ThrowAsync<ConnectionEndedException>())
            .Which.Rejection!.Reason.Should().Be(RejectionReason.SessionReplaced);
        server.Connections.Should().Equal(second.Server.Accepted);
        limits.CountOfUser("alice").Should().Be(1);
    }

    [Test]
    public async Task A_device_is_counted_by_the_name_of_its_certificate_and_not_by_its_key()
    {
        var limits = new SessionLimits { MaxPerDevice = 1 };
        var server = new MutualTlsServer(_world.ServerOptions with { SessionLimits = limits });
        using var renewed = _world.Authority.IssueClient("client.test");
        using var other = _world.Authority.IssueClient("other.test");
        await using var first = await ShakeAsync(server, _world.ClientOptions);
        limits.CountOfDevice(PeerName.Dns("client.test")).Should().Be(1);

        await using var again = await ShakeAsync(server, _world.ClientOptions with { Identity = World.ToIdentity(renewed) });
        await using var another = await ShakeAsync(server, _world.ClientOptions with { Identity = World.ToIdentity(other) });

        first.Server.Connection.Should().NotBeNull();
        again.Server.Refusal.Reason.Should().Be(RejectionReason.TooManySessions);
        another.Server.Connection.Should().NotBeNull();
    }

    [Test]
    public async Task Of_many_handshakes_at_one_moment_as_many_succeed_as_may()
    {
        var server = new MutualTlsServer(_world.ServerOptions with { SessionLimits = new SessionLimits { MaxPerDevice = 3 } });

        var all = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => ShakeAsync(server, _world.ClientOptions)));

        all.Count(pair => pair.Server.Connection is not null).Should().Be(3);
        all.Where(pair => pair.Server.Connection is null).Should().OnlyContain(
            pair => pair.Server.Refusal.Reason == RejectionReason.TooManySessions);
        await Task.WhenAll(all.Select(pair => pair.DisposeAsync().AsTask()));
    }

    [TestCase("the client leaves")]
    [TestCase("the client refuses")]
    [TestCase("the client says nothing")]
    [TestCase("the client says nonsense")]
    [TestCase("the caller gives up")]
    public async Task A_handshake_that_fails_in_its_last_step_gives_the_place_back(string how)
    {
        var limits = new SessionLimits { MaxPerDevice = 1 };
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var server = new MutualTlsServer(
            _world.ServerOptions with { SessionLimits = limits, TimeProvider = clock, CloseTimeout = World.Moment });
        using var giveUp = new CancellationTokenSource();
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        var accepting = End.OfAsync(server.AcceptAsync(serverSocket, giveUp.Token));
        await using var client = await ScriptedTlsPeer.AsClientAsync(
            new System.Net.Sockets.NetworkStream(clientSocket, ownsSocket: true), _world.ClientCertificate);
        await client.HearAsync(5); // the server's verdict: it has accepted, and waits for ours
        limits.CountOfDevice(PeerName.Dns("client.test")).Should().Be(1);
        await using var meanwhile = await ShakeAsync(server, _world.ClientOptions);
        meanwhile.Server.Refusal.Reason.Should().Be(RejectionReason.TooManySessions);

        switch (how)
        {
            case "the client leaves":
                clientSocket.Close(0);
                break;
            case "the client refuses":
                await client.SayVerdictAsync(1);
                break;
            case "the client says nothing":
                clock.Advance(TimeSpan.FromSeconds(11));
                break;
            case "the client says nonsense":
                await client.SayAsync([255, 255, 255, 255, 255]);
                break;
            default:
                await giveUp.CancelAsync();
                break;
        }

        (await accepting).Failure.Should().NotBeNull();
        limits.Keys.Should().Be(0);
        await using var next = await ShakeAsync(server, _world.ClientOptions);
        next.Server.Connection.Should().NotBeNull();
    }

    [Test]
    public async Task A_peer_that_is_refused_takes_no_place()
    {
        var limits = new SessionLimits { MaxPerUser = 1 };
        var server = new MutualTlsServer(Options(limits));

        await using var wrong = await LogInAsync(server, password: "wrong");

        wrong.Server.Refusal.Reason.Should().Be(RejectionReason.CredentialsWrong);
        limits.Keys.Should().Be(0);
    }

    private MutualTlsServerOptions Options(SessionLimits limits) => _world.ServerOptions with
    {
        Credentials = Require.CertificateAndUser(SaslServer.Scram(_users)),
        SessionLimits = limits,
    };

    private MutualTlsClientOptions ClientOptions(string user = "alice", string password = "right") =>
        _world.ClientOptions with { Credentials = Login.WithPassword(user, password) };

    private Task<ConnectedPair> LogInAsync(MutualTlsServer server, string user = "alice", string password = "right") =>
        ShakeAsync(server, ClientOptions(user, password));

    private static async Task<ConnectedPair> ShakeAsync(MutualTlsServer server, MutualTlsClientOptions client)
    {
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        return await ConnectedPair.ShakeAsync(
            new MutualTlsClient(client).UpgradeAsync(clientSocket, "server.test"), server.AcceptAsync(serverSocket));
    }
}
