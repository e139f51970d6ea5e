using System.Net;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Credentials;
using MutualAuth.Tests.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>Connections that the application looks at and ends by a rule, and users that are to authenticate again.</summary>
[CancelAfter(60000)]
public sealed class EndByRuleTests
{
    private World _world = null!;
    private MemoryCredentialStore _users = null!;

    [SetUp]
    public async Task SetUp()
    {
        _world = new World { CloseTimeout = World.Moment };
        _users = await TestUsers.CreateAsync();
    }

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task A_server_ends_whom_the_rule_names_and_says_why()
    {
        var server = Server();
        await using var alice = await LogInAsync(server, "alice", "right");
        await using var bob = await LogInAsync(server, "bob", "battery");
        server.Connections.Should().BeEquivalentTo([alice.Server.Accepted, bob.Server.Accepted]);
        alice.Server.Accepted.OpenedAt.Should().BeCloseTo(TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(1));
        alice.Server.Accepted.ValidUntil.Should().Be(_world.ClientCertificate.Certificate.NotAfter.ToUniversalTime().AddSeconds(1));

        server.EndWhere(peer => peer.User!.Name == "alice", "laptop stolen").Should().Be(1);

        var rejection = alice.Server.Accepted.Invalidation!.Rejection;
        (rejection.Reason, rejection.Presented).Should().Be((RejectionReason.EndedByApplication, "one that it ended: \"laptop stolen\""));
        (await alice.Server.Accepted.Invoking(connection => connection.Stream.ReadAsync(new byte[1]).AsTask()).Should()
            .ThrowAsync<ConnectionEndedException>()).Which.Rejection.Should().Be(rejection);
        server.Connections.Should().Equal(bob.Server.Accepted);
        bob.Server.Accepted.Invalidation.Should().BeNull();
    }

    [TestCase(InvalidationAction.Drain)]
    [TestCase(InvalidationAction.Notify)]
    public async Task The_caller_says_what_becomes_of_them(InvalidationAction action)
    {
        var server = Server();
        await using var alice = await LogInAsync(server, "alice", "right");

        server.EndWhere(_ => true, "maintenance", action).Should().Be(1);
        server.EndWhere(_ => true, "maintenance", action).Should().Be(0, "it is on its way");

        alice.Server.Accepted.Invalidation!.Action.Should().Be(action);
        alice.Server.Accepted.DrainRequested.IsCancellationRequested.Should().Be(action == InvalidationAction.Drain);
        await alice.Server.Accepted.Stream.WriteAsync("x"u8.ToArray());
        await alice.Client.Accepted.Stream.ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline);
    }

    [Test]
    public void A_rule_that_cannot_be_used_is_refused()
    {
        var server = Server();

        server.Invoking(each => each.EndWhere(null!, "x")).Should().Throw<ArgumentNullException>();
        server.Invoking(each => each.EndWhere(_ => true, string.Empty)).Should().Throw<ArgumentException>();
        server.Invoking(each => each.EndWhere(_ => true, "x", (InvalidationAction)9)).Should().Throw<ArgumentOutOfRangeException>();
    }

    [Test]
    public async Task A_client_ends_its_own()
    {
        var client = new MutualTlsClient(Client("alice", "right"));
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        await using var pair = await ConnectedPair.ShakeAsync(
            client.UpgradeAsync(clientSocket, "server.test"), Server().AcceptAsync(serverSocket));
        client.Connections.Should().Equal(pair.Client.Accepted);

        client.EndWhere(peer => peer.Name == "another.test", "x").Should().Be(0);
        client.EndWhere(peer => peer.Name == "server.test", "x").Should().Be(1);

        pair.Client.Accepted.Invalidation!.Rejection.Reason.Should().Be(RejectionReason.EndedByApplication);
        client.Connections.Should().BeEmpty();
    }

    [Test]
    public async Task A_listener_ends_those_that_wait_to_be_accepted_too()
    {
        await using var listener = MutualTlsListener.Start(
            new MutualTlsListenerOptions { Server = Server(), EndPoint = new IPEndPoint(IPAddress.Loopback, 0) });
        await using var client = await new MutualTlsClient(Client("alice", "right")).ConnectAsync(listener.LocalEndPoint, "server.test");
        await using var connection = await listener.AcceptAsync();
        await using var waiting = await new MutualTlsClient(Client("alice", "right")).ConnectAsync(listener.LocalEndPoint, "server.test");
        while (listener.Connections.Length < 2)
        {
            await Task.Yield();
        }

        listener.EndWhere(peer => peer.User!.Name == "alice", "x").Should().Be(2);

        connection.Invalidation!.Rejection.Reason.Should().Be(RejectionReason.EndedByApplication);
        listener.Connections.Should().BeEmpty();
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_change_that_races_a_login_is_found_before_anybody_gets_the_connection(bool isDisabled)
    {
        var mechanism = new ScriptedMechanism(["ONE"], async (_, token, _) =>
        {
            var user = (await _users.FindAsync("alice", token))!;
            await _users.SetDisabledAsync("alice", isDisabled, token);
            return SaslServerStep.Succeed("alice", PeerProofs.Other, facts: [LoginFacts.Verifier(_users, "alice", user.Verifiers[0])]);
        });
        var server = new MutualTlsServer(_world.ServerOptions with { Credentials = Require.User(mechanism) });
        await using var bob = isDisabled ? null : await LogInAsync(Server(), "bob", "battery");
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();

        await using var pair = await ConnectedPair.ShakeAsync(
            new MutualTlsClient(_world.ClientOptions with { Identity = ClientIdentity.None, Credentials = Login.With(new Silent()) })
                .UpgradeAsync(clientSocket, "server.test"),
            server.AcceptAsync(serverSocket));

        pair.Server.Accepted.Invalidation?.Rejection.Reason.Should().Be(isDisabled ? RejectionReason.UserDisabled : null);
        server.Connections.Should().HaveCount(isDisabled ? 0 : 1);
    }

    [Test]
    public async Task The_application_is_told_once_before_each_deadline()
    {
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var due = System.Threading.Channels.Channel.CreateUnbounded<(MutualTlsConnection Connection, DateTimeOffset At)>();
        var end = clock.GetUtcNow() + TimeSpan.FromMinutes(10);
        var server = new MutualTlsServer(_world.ServerOptions with
        {
            TimeProvider = clock,
            Credentials = Require.CertificateAndUser(SaslServer.DangerouslyUnboundTokens(new Tokens(end))),
            Revalidation = new RevalidationPolicy
            {
                ReauthenticationLead = TimeSpan.FromMinutes(2),
                MaximumAge = TimeSpan.FromMinutes(20),
                OnTokenExpired = InvalidationAction.Notify,
                OnReauthenticationDue = connection =>
                {
                    due.Writer.TryWrite((connection, clock.GetUtcNow()));
                    throw new InvalidOperationException();
                },
            },
        });
        await using var pair = await LogInAsync(server, Login.WithToken("alice"));
        var connection = pair.Server.Accepted;
        connection.ValidUntil.Should().Be(end);

        clock.Advance(TimeSpan.FromMinutes(8) - TimeSpan.FromTicks(1));
        due.Reader.TryRead(out _).Should().BeFalse();
        clock.Advance(TimeSpan.FromMilliseconds(1));
        (await due.Reader.ReadAsync().AsTask().WaitAsync(ConnectedPair.Deadline)).Connection.Should().Be(connection);
        await server.Live.Ringing.WaitAsync(ConnectedPair.Deadline); // the timer is set again
        clock.Advance(TimeSpan.FromMinutes(9));
        due.Reader.TryRead(out _).Should().BeFalse("each deadline is told once");
        clock.Advance(TimeSpan.FromMinutes(1));
        await due.Reader.ReadAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
        connection.DrainRequested.IsCancellationRequested.Should().BeFalse();
        await server.Live.Ringing.WaitAsync(ConnectedPair.Deadline);

        var later = clock.GetUtcNow() + TimeSpan.FromMinutes(1);
        connection.Renew(new AuthenticatedUser("alice", null, "OAUTHBEARER", PeerProofs.Token, [], later)).Should().BeTrue();
        clock.Advance(TimeSpan.FromMilliseconds(1)); // what is overdue comes up with the clock's next step

        await due.Reader.ReadAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
        connection.Invalidation.Should().BeNull();
        connection.NoLongerValid.IsCancellationRequested.Should().BeFalse();
        connection.Peer.User!.NotAfter.Should().Be(later);

        connection.Renew(new AuthenticatedUser("alice", null, "OAUTHBEARER", PeerProofs.Token, [], later)).Should().BeTrue();
        clock.Advance(TimeSpan.FromMilliseconds(1));
        due.Reader.TryRead(out _).Should().BeFalse("it is the same deadline");
    }

    private MutualTlsServer Server() => new(_world.ServerOptions with
    { Credentials = Require.CertificateAndUser(SaslServer.Scram(_users)) with { DecoyIterations = ScramVerifier.MinIterations } });

    private MutualTlsClientOptions Client(string user, string password) =>
        _world.ClientOptions with { Credentials = Login.WithPassword(user, password) };

    private Task<ConnectedPair> LogInAsync(MutualTlsServer server, string user, string password) =>
        LogInAsync(server, Login.WithPassword(user, password));

    private async Task<ConnectedPair> LogInAsync(MutualTlsServer server, ClientCredentials credentials)
    {
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        return await ConnectedPair.ShakeAsync(
            new MutualTlsClient(_world.ClientOptions with { Credentials = credentials }).UpgradeAsync(clientSocket, "server.test"),
            server.AcceptAsync(serverSocket));
    }

    private sealed class Tokens(DateTimeOffset end) : ITokenValidator
    {
        public ValueTask<TokenVerdict> ValidateAsync(string token, IPAddress? remoteAddress, CancellationToken cancellationToken) =>
            ValueTask.FromResult(TokenVerdict.Valid(token, null, notAfter: end));
    }

    private sealed class Silent : ISaslClientMechanism, ISaslClientExchange
    {
        public IEnumerable<string> NamesFor(SaslClientContext context) => ["ONE"];

        public ISaslClientExchange Begin(string mechanism, SaslClientContext context) => this;

        public ValueTask<ReadOnlyMemory<byte>?> StartAsync(CancellationToken cancellationToken) =>
            ValueTask.FromResult<ReadOnlyMemory<byte>?>(new byte[] { 1 });

        public ValueTask<SaslClientStep> StepAsync(ReadOnlyMemory<byte> challenge, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public SaslClientEnd Complete(ReadOnlyMemory<byte>? additionalData) => new(null, PeerProofs.None);

        public void Dispose()
        {
        }
    }
}
