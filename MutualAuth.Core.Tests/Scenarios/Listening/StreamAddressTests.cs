using System.Net;
using System.Net.Sockets;
using MutualAuth.Credentials;
using MutualAuth.Testing.Transports;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>Whom a stream comes from: what the caller says, what its socket says, or nobody knows.</summary>
[CancelAfter(60000)]
public sealed class StreamAddressTests
{
    private static readonly IPEndPoint s_given = new(IPAddress.Parse("198.51.100.7"), 4711);

    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World();

    [TearDown]
    public void TearDown() => _world.Dispose();

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_stream_has_the_address_that_the_caller_gives_and_none_of_its_own(bool isGiven)
    {
        await using var wire = new DuplexPair();
        var notes = new NotingLimiter();
        var server = new MutualTlsServer(Options(notes));

        await using var ends = await ConnectedPair.ShakeAsync(
            Client(wire.Client), isGiven ? server.AcceptAsync(wire.Server, s_given) : server.AcceptAsync(wire.Server));

        Expect(ends.Server.Accepted, notes, isGiven ? s_given : null);
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_network_stream_has_its_sockets_address_unless_the_caller_knows_better(bool isGiven)
    {
        var (client, accepted) = await ConnectedPair.SocketPairAsync();
        var notes = new NotingLimiter();
        var server = new MutualTlsServer(Options(notes));
        var own = accepted.RemoteEndPoint;
        var stream = new NetworkStream(accepted, ownsSocket: true);

        await using var ends = await ConnectedPair.ShakeAsync(
            Client(new NetworkStream(client, ownsSocket: true)), isGiven ? server.AcceptAsync(stream, s_given) : server.AcceptAsync(stream));

        Expect(ends.Server.Accepted, notes, isGiven ? s_given : own);
    }

    [Test]
    public async Task A_failure_names_the_address_that_the_caller_gives()
    {
        await using var wire = new DuplexPair();
        var server = End.OfAsync(new MutualTlsServer(Options(new NotingLimiter())).AcceptAsync(wire.Server, s_given));
        await wire.Client.WriteAsync("this is not TLS"u8.ToArray());
        wire.Client.ShutdownWrite();

        (await server).Refusal.RemoteEndPoint.Should().Be(s_given);
    }

    /// <summary>Strangers without an address are no single stranger, whose mistakes would lock everybody out.</summary>
    [TestCase(false)]
    [TestCase(true)]
    public async Task Wrong_passwords_of_one_address_limit_that_address_and_those_without_one_nobody(bool isGiven)
    {
        const int MoreThanAnAddressMayTry = 30;
        var users = Users();
        var server = new MutualTlsServer(_world.ServerOptions with { Credentials = Require.User(SaslServer.Scram(users)) });
        var verifier = ScramVerifier.Create(Password.From("other"), iterations: ScramVerifier.MinIterations); // cheaper than that of a stranger
        for (var attempt = 0; attempt < MoreThanAnAddressMayTry; attempt++)
        {
            await users.SetAsync($"user{attempt}", verifier);
            await using var wrong = await LogInAsync(server, $"user{attempt}", "wrong", isGiven ? s_given : null);
            wrong.Server.Failure.Should().NotBeNull();
        }

        await using var right = await LogInAsync(server, "alice", "right", isGiven ? s_given : null);
        if (isGiven)
        {
            right.Server.Refusal.Reason.Should().Be(RejectionReason.AttemptsLimited);
        }
        else
        {
            right.Server.Accepted.Peer.User!.Name.Should().Be("alice");
        }

        await using var elsewhere = await LogInAsync(server, "alice", "right", new IPEndPoint(IPAddress.Parse("203.0.113.9"), 1));
        elsewhere.Server.Accepted.Peer.User!.Name.Should().Be("alice");
    }

    private static void Expect(MutualTlsConnection connection, NotingLimiter notes, EndPoint? expected)
    {
        connection.RemoteEndPoint.Should().Be(expected);
        connection.Peer.RemoteEndPoint.Should().Be(expected);
        notes.Attempts.Should().NotBeEmpty().And.OnlyContain(
            attempt => Equals(attempt.Address, expected == null ? null : ((IPEndPoint)expected).Address));
    }

    private static MemoryCredentialStore Users()
    {
        var users = new MemoryCredentialStore();
        users.SetAsync(
            "alice", ScramVerifier.Create(Password.From("right"), iterations: ScramVerifier.MinIterations)).AsTask().GetAwaiter().GetResult();
        return users;
    }

    private MutualTlsServerOptions Options(IAttemptLimiter limiter) =>
        _world.ServerOptions with { Credentials = Require.CertificateAndUser(SaslServer.Scram(Users())) with { AttemptLimiter = limiter } };

    private async Task<ConnectedPair> LogInAsync(MutualTlsServer server, string user, string password, EndPoint? from)
    {
        var wire = new DuplexPair();
        var options = _world.ClientOptions with { Identity = ClientIdentity.None, Credentials = Login.WithPassword(user, password) };
        return await ConnectedPair.ShakeAsync(
            new MutualTlsClient(options).UpgradeAsync(wire.Client, "server.test"), server.AcceptAsync(wire.Server, from));
    }

    private Task<MutualTlsConnection> Client(Stream stream) =>
        new MutualTlsClient(_world.ClientOptions with { Credentials = Login.WithPassword("alice", "right") }).UpgradeAsync(stream, "server.test");
}
