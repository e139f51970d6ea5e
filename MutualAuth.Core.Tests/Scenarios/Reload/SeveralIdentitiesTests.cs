using MutualAuth.Handshake;
using MutualAuth.Identities;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>More than one identity: the server's by the name that is asked for, the client's by the server's wishes or by the server.</summary>
[CancelAfter(120000)]
public sealed class SeveralIdentitiesTests
{
    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World();

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    [TestCase("b.example.test", "b.example.test")]
    [TestCase("other.example.test", "*.example.test")]
    [TestCase("elsewhere.test", "server.test")]
    [TestCase(null, "server.test")]
    public async Task A_server_shows_the_identity_that_carries_the_name_asked_for(string? asked, string shown)
    {
        using var wildcard = _world.Authority.IssueServer("*.example.test");
        using var exact = _world.Authority.IssueServer("b.example.test");
        var several = new ServerIdentities(_world.ServerIdentity, World.ToIdentity(wildcard), World.ToIdentity(exact));

        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Authorization = Authorize.AnyTrustedPeer }, _world.ServerOptions with { Identity = several }, asked);

        ends.Client.Accepted.Peer.Certificate!.DnsNames[0].Should().Be(shown);
    }

    [TestCase(0)]
    [TestCase(1)]
    public void Whoever_listens_hears_that_one_of_them_was_replaced(int which)
    {
        ReplaceableIdentity[] sources = [new(_world.ServerIdentity), new(_world.ServerIdentity)];
        var several = new ServerIdentities(sources[0], _world.ServerIdentity, sources[1]);
        using var next = _world.Authority.IssueServer("server.test");
        var told = 0;
        void Count(object? sender, EventArgs arguments) => told++;

        several.Replaced += Count;
        sources[which].Replace(World.ToIdentity(next));
        told.Should().Be(1);

        several.Replaced -= Count;
        sources[which].Replace(_world.ServerIdentity);
        told.Should().Be(1, "whoever listens no longer hears nothing");
    }

    [Test]
    [TestCase(TlsVersionName.Tls13)]
    [TestCase(TlsVersionName.Tls12)]
    public async Task A_client_shows_the_identity_whose_authority_the_server_names(TlsVersionName version)
    {
        using var foreign = _world.Foreign.IssueClient("foreign.test");
        var client = _world.ClientOptions with { Identity = ClientIdentity.ByAcceptableIssuers(World.ToIdentity(foreign), _world.ClientIdentity) };
        if (version == TlsVersionName.Tls12)
        {
            client = client with { MaximumTlsVersion = MutualAuth.TlsVersion.Tls12 };
        }

        await using var ends = await ConnectedPair.ShakeAsync(client, _world.ServerOptions with { SendAcceptableIssuers = true });

        ends.Server.Accepted.Peer.Name.Should().Be("client.test");
    }

    [Test]
    public async Task A_client_with_several_identities_judges_a_server_by_all_that_it_shows()
    {
        using var intermediate = _world.Authority.IssueIntermediate();
        using var leaf = intermediate.IssueServer("server.test");

        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Identity = ClientIdentity.ByAcceptableIssuers(_world.ClientIdentity, _world.ServerIdentity) },
            _world.ServerOptions with { Identity = World.ToIdentity(leaf) });

        ends.Client.Accepted.Peer.Certificate.Should().Be(leaf.Read());
    }

    [Test]
    public async Task A_client_shows_its_first_identity_when_the_server_names_no_authority()
    {
        using var foreign = _world.Foreign.IssueClient("foreign.test");

        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Identity = ClientIdentity.ByAcceptableIssuers(World.ToIdentity(foreign), _world.ClientIdentity) },
            _world.ServerOptions);

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.UnknownAuthority);
    }

    [Test]
    public async Task A_client_shows_nothing_when_no_identity_is_of_an_authority_that_the_server_names()
    {
        using var foreign = _world.Foreign.IssueClient("foreign.test");
        var two = ClientIdentity.ByAcceptableIssuers(World.ToIdentity(foreign), World.ToIdentity(foreign));

        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Identity = two }, _world.ServerOptions with { SendAcceptableIssuers = true });

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.NoCertificate);
    }

    [Test]
    public async Task A_server_that_names_authorities_still_sends_its_whole_chain()
    {
        using var intermediate = _world.Authority.IssueIntermediate();
        using var leaf = intermediate.IssueServer("server.test");

        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions, _world.ServerOptions with { Identity = World.ToIdentity(leaf), SendAcceptableIssuers = true });

        ends.Client.Accepted.Peer.Certificate.Should().Be(leaf.Read());
    }

    [Test]
    public async Task Names_that_are_longer_than_the_bound_are_not_sent_and_that_is_said_once([Values] bool fits)
    {
        using var foreign = _world.Foreign.IssueClient("foreign.test");
        var client = new MutualTlsClient(
            _world.ClientOptions with { Identity = ClientIdentity.ByAcceptableIssuers(World.ToIdentity(foreign), _world.ClientIdentity) });
        var bytes = AcceptableIssuers.BytesOf(_world.Trust);
        using var log = new EventLog();
        var server = new MutualTlsServer(
            _world.ServerOptions with { SendAcceptableIssuers = true, MaxAcceptableIssuerBytes = fits ? bytes : bytes - 1, LoggerFactory = log });

        for (var times = 0; times < 2; times++)
        {
            var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
            await using var ends = await ConnectedPair.ShakeAsync(
                client.UpgradeAsync(clientSocket, "server.test"), server.AcceptAsync(serverSocket));

            // A client that is told no names shows its first identity, which is of another authority.
            (ends.Server.Failure as HandshakeException)?.Reason.Should().Be(RejectionReason.UnknownAuthority);
            (ends.Server.Connection is not null).Should().Be(fits);
        }

        var said = log.Drain().Where(happened => happened.Id == 1010).ToList();
        said.Should().HaveCount(fits ? 0 : 1);
        said.Select(happened => (happened.Values["Bytes"], happened.Values["Bound"])).Should().AllBeEquivalentTo((bytes, bytes - 1));
    }

    [Test]
    public void No_more_is_sent_by_default_than_the_strictest_peers_take() =>
        _world.ServerOptions.MaxAcceptableIssuerBytes.Should().Be(16_384, "mbedTLS and wolfSSL take no longer message");

    [Test]
    public async Task A_client_shows_each_server_the_identity_that_it_has_for_it()
    {
        using var foreign = _world.Foreign.IssueClient("foreign.test");
        var client = _world.ClientOptions with
        {
            Identity = ClientIdentity.ByServer(
            name => name == "server.test" ? _world.ClientIdentity : World.ToIdentity(foreign)),
            Authorization = Authorize.AnyTrustedPeer
        };

        await using var right = await ConnectedPair.ShakeAsync(client, _world.ServerOptions);
        await using var wrong = await ConnectedPair.ShakeAsync(client, _world.ServerOptions, "elsewhere.test");

        right.Server.Accepted.Peer.Name.Should().Be("client.test");
        wrong.Server.Refusal.Reason.Should().Be(RejectionReason.UnknownAuthority);
    }

    [Test]
    public async Task A_callback_is_asked_for_each_handshake_and_what_it_gave_last_stays_when_it_throws()
    {
        using var next = _world.Authority.IssueServer("server.test");
        var identities = new Queue<Identity>([_world.ServerIdentity, World.ToIdentity(next)]);
        var server = _world.ServerOptions with { Identity = new IdentityCallback(identities.Dequeue) };

        await using var first = await ConnectedPair.ShakeAsync(_world.ClientOptions, server);
        await using var second = await ConnectedPair.ShakeAsync(_world.ClientOptions, server);

        first.Client.Accepted.Peer.Certificate.Should().Be(next.Read());
        second.Client.Accepted.Peer.Certificate.Should().Be(next.Read(), "the callback has nothing left and throws");
    }

    public enum TlsVersionName
    {
        Tls12 = 1,
        Tls13 = 2,
    }
}
