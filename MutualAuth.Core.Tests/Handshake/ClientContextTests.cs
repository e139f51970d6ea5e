using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Confirmation;
using MutualAuth.Credentials;
using MutualAuth.Handshake;
using MutualAuth.Hello;
using MutualAuth.Identities;
using MutualAuth.Testing.Transports;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>
/// One TLS context for the connections of a client to servers that give no sessions. A server that gives them all the same is never offered one.
/// </summary>
[CancelAfter(60000)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[Platform("Linux", Reason = "elsewhere each connection has a context of its own")]
public sealed class ClientContextTests : IDisposable
{
    private static readonly ServerName s_server = ServerName.Parse("server.test");

    private readonly SharingServers _sharing = new();

    // Certificates of its own: the platform finds the context by them, and others leave sessions in theirs.
    private readonly World _world = new(ofItsOwn: true) { CloseTimeout = World.Moment };

    public void Dispose() => _world.Dispose();

    [Test]
    public async Task It_is_shared_with_a_server_that_has_confirmed_once_and_given_no_session()
    {
        var givesNone = await SharedContext.FindOut();
        var client = new MutualTlsClient(_world.ClientOptions);
        var server = new MutualTlsServer(_world.ServerOptions);
        Shares(client).Should().BeFalse("nothing is known of the server yet");

        for (var visit = 0; visit < 4; visit++)
        {
            (await VisitAsync(client, server)).Should().BeEquivalentTo(InFull);
            Shares(client).Should().Be(givesNone, "the platform of the server gives tickets, though nobody can use them");
        }
    }

    /// <summary>The server that is shared with is another one the next time, and gives two sessions to each client.</summary>
    [Test]
    public async Task A_server_that_begins_to_give_sessions_is_offered_none_and_shared_with_no_more()
    {
        var givesNone = await SharedContext.FindOut();
        var client = SharingClient();
        var server = new MutualTlsServer(_world.ServerOptions with { SharesContextUnasked = true });

        for (var visit = 0; visit < 3; visit++)
        {
            (await VisitAsync(client, server)).Should().BeEquivalentTo(InFull);

            // The first one brought sessions, the second one found them in its hello.
            Shares(client).Should().Be(visit < 1 || givesNone);
        }
    }

    [Test]
    public async Task Many_at_once_at_a_server_that_gives_sessions_are_all_served_in_full()
    {
        var client = SharingClient();
        var server = new MutualTlsServer(_world.ServerOptions with { SharesContextUnasked = true });

        for (var round = 0; round < 4; round++)
        {
            var visits = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => VisitAsync(client, server)));

            visits.Should().AllBeEquivalentTo(InFull);
        }
    }

    /// <summary>In one process a plain client with our certificate took a session of the server's, in the very context that ours shares.</summary>
    [Test]
    public async Task A_session_that_somebody_else_took_into_the_context_is_not_offered()
    {
        var client = SharingClient();
        await TakeSessionAsync();

        (await VisitAsync(client, new MutualTlsServer(_world.ServerOptions))).Should().BeEquivalentTo(InFull);

        Shares(client).Should().Be(await SharedContext.FindOut());
    }

    [Test]
    public async Task Whether_we_were_asked_for_our_certificate_stays_readable([Values] bool asks)
    {
        var store = new MemoryCredentialStore();
        using var password = Password.From("correct horse battery staple");
        await store.SetAsync("alice", ScramVerifier.Create(password));
        var login = SaslServer.Scram(store);
        var client = SharingClient(_world.ClientOptions with
        {
            Credentials = Login.WithPassword("alice", "correct horse battery staple"),
            DangerousAllowServersThatAskForNoCertificate = true,
        });
        var server = new MutualTlsServer(
            _world.ServerOptions with { Credentials = asks ? Require.CertificateAndUser(login) : Require.User(login) });

        (await VisitAsync(client, server)).Asked.Should().Be(asks);
    }

    [Test]
    public async Task Who_presents_nothing_shows_nothing_of_those_who_share()
    {
        var sharing = SharingClient();
        await VisitAsync(sharing, new MutualTlsServer(_world.ServerOptions));
        var nobody = SharingClient(_world.ClientOptions with { Identity = ClientIdentity.None });

        await using var wire = new DuplexPair();
        await using var ends = await ConnectedPair.ShakeAsync(
            nobody.UpgradeAsync(wire.Client, "server.test"), new MutualTlsServer(_world.ServerOptions).AcceptAsync(wire.Server));

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.NoCertificate);
        (await VisitAsync(sharing, new MutualTlsServer(_world.ServerOptions))).Should().BeEquivalentTo(InFull);
    }

    [Test]
    public async Task Another_identity_is_what_is_shown_from_the_next_connection_on()
    {
        using var other = _world.Authority.IssueClient("other.test");
        var identity = new ReplaceableIdentity(_world.ClientIdentity);
        var client = SharingClient(_world.ClientOptions with { Identity = identity });
        var server = new MutualTlsServer(_world.ServerOptions);

        identity.Replace(World.ToIdentity(other));

        (await VisitAsync(client, server)).Client.Should().Be("other.test");
    }

    /// <summary>What TLS is told is kept for the next connection: only to the same server, and only with the same identity.</summary>
    [Test]
    public async Task Each_connection_asks_for_its_own_server_and_shows_the_identity_of_now()
    {
        using var other = _world.Authority.IssueClient("other.test");
        var identity = new ReplaceableIdentity(_world.ClientIdentity);
        var client = new MutualTlsClient(_world.ClientOptions with { Identity = identity, Authorization = Authorize.Dns("server.test") });
        var server = new MutualTlsServer(_world.ServerOptions);
        (string? Dialled, string? Asked)[] names =
        [
            ("server.test", "server.test"), ("server.test", "server.test"), ("b.test", "b.test"), ("127.0.0.1", null), (null, null),
            ("server.test", "server.test"),
        ];

        foreach (var (current, name) in new[] { (_world.ClientIdentity, "client.test"), (World.ToIdentity(other), "other.test") })
        {
            identity.Replace(current);
            foreach (var (dialled, asked) in names)
            {
                (await AskAsync(dialled)).Should().Be((asked, name));
            }

            var atOnce = await Task.WhenAll(names.Concat(names).Select(each => AskAsync(each.Dialled)));
            atOnce.Should().Equal(names.Concat(names).Select(each => (each.Asked, name)));
        }

        async Task<(string? Asked, string Shown)> AskAsync(string? dialled)
        {
            await using var wire = new DuplexPair();
            await using var ends = await ConnectedPair.ShakeAsync(client.UpgradeAsync(wire.Client, dialled), server.AcceptAsync(wire.Server));
            return (ends.Server.Accepted.Session.ServerName, ends.Server.Accepted.Peer.Name);
        }
    }

    [TestCase(true, TlsVersion.Tls13, false, true)]
    [TestCase(false, TlsVersion.Tls13, false, false)]
    [TestCase(true, TlsVersion.Tls12, false, false)]
    [TestCase(true, TlsVersion.Tls13, true, false)]
    public void It_is_shared_after_confirmation_in_TLS_1_3_without_a_session(
        bool confirms, TlsVersion version, bool hasGivenSessions, bool isShared)
    {
        _sharing.Learn(s_server, confirms, version, hasGivenSessions);

        _sharing.Suits(_world.ClientOptions, s_server).Should().Be(isShared);
        _sharing.Suits(_world.ClientOptions, ServerName.Parse("other.test")).Should().BeFalse();
        _sharing.Suits(_world.ClientOptions, null).Should().BeFalse();
        _sharing.Suits(_world.ClientOptions with { CipherSuites = [TlsCipherSuite.TLS_AES_256_GCM_SHA384] }, s_server)
            .Should().BeFalse("the platform shares nothing then");
    }

    [TestCase(true, TlsVersion.Tls13, true, true, "much may have come at once")]
    [TestCase(false, TlsVersion.Tls13, false, false, "")]
    [TestCase(true, TlsVersion.Tls12, false, false, "")]
    public void A_server_that_leaves_TLS_1_3_or_confirmation_is_shared_with_no_more(
        bool confirms, TlsVersion version, bool hasGivenSessions, bool isShared, string why)
    {
        _sharing.Learn(s_server, confirms: true, TlsVersion.Tls13, hasGivenSessions: false);

        _sharing.Learn(s_server, confirms, version, hasGivenSessions);
        _sharing.Suits(_world.ClientOptions, s_server).Should().Be(isShared, why);

        _sharing.Learn(s_server, confirms: true, TlsVersion.Tls13, hasGivenSessions: false);
        _sharing.Suits(_world.ClientOptions, s_server).Should().Be(isShared, "it stays as it is for as long as it is remembered");
    }

    [Test]
    public async Task A_hello_offers_a_session_where_a_plain_client_offers_one_or_where_it_is_cut([Values] TlsVersion version)
    {
        var givesTickets = !await SharedContext.FindOut();
        var first = await TakeSessionAsync(version);
        var second = await TakeSessionAsync(version);
        var end = 5 + ((first[3] << 8) | first[4]);

        OfferedSession.IsIn(first).Should().BeFalse();
        OfferedSession.IsIn(second).Should().Be(givesTickets);
        for (var length = 0; length < end; length++)
        {
            OfferedSession.IsIn(first.AsSpan(0, length)).Should().BeTrue("{0} octets are no hello", length);
        }
    }

    private static Visit InFull { get; } = new("server.test", "client.test", Asked: true, OffersSession: false);

    private bool Shares(MutualTlsClient client) => client.Sharing.Suits(_world.ClientOptions, s_server);

    /// <summary>A client that knows the server from earlier as one that gives no sessions.</summary>
    private MutualTlsClient SharingClient(MutualTlsClientOptions? options = null)
    {
        var client = new MutualTlsClient(options ?? _world.ClientOptions);
        client.Sharing.Learn(s_server, confirms: true, TlsVersion.Tls13, hasGivenSessions: false);
        Shares(client).Should().BeTrue();
        return client;
    }

    private static async Task<Visit> VisitAsync(MutualTlsClient client, MutualTlsServer server)
    {
        await using var wire = new DuplexPair();
        wire.ClientToServer.Record = true;
        await using var ends = await ConnectedPair.ShakeAsync(client.UpgradeAsync(wire.Client, "server.test"), server.AcceptAsync(wire.Server));
        var (atClient, atServer) = (ends.Client.Accepted, ends.Server.Accepted);

        // What the server sends brings the sessions with it.
        await atServer.Stream.WriteAsync("x"u8.ToArray());
        await atClient.Stream.ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline);
        return new Visit(
            atClient.Peer.Name,
            atServer.Peer.Name,
            atClient.Session.OwnCertificateRequested,
            SessionTap.OffersSession(wire.ClientToServer.Recording));
    }

    /// <summary>A plain client with our certificate at a plain server with the server's, which gives sessions; what the client sent first.</summary>
    private async Task<byte[]> TakeSessionAsync(TlsVersion version = TlsVersion.Tls13)
    {
        await using var wire = new DuplexPair();
        wire.ClientToServer.Record = true;
        await using var server = new SslStream(wire.Server);
        await using var client = new SslStream(wire.Client);
        var accepting = server.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = _world.ServerIdentity.TlsContext,
            EnabledSslProtocols = version.UpTo(version),
        });
        await client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "server.test",
            ClientCertificateContext = _world.ClientIdentity.TlsContext,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
            CertificateChainPolicy = new X509ChainPolicy
            { RevocationMode = X509RevocationMode.NoCheck, TrustMode = X509ChainTrustMode.CustomRootTrust },
        }).WaitAsync(ConnectedPair.Deadline);
        await accepting.WaitAsync(ConnectedPair.Deadline);
        await server.WriteAsync("x"u8.ToArray());
        await client.ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline);
        return wire.ClientToServer.Recording;
    }

    private sealed record Visit(string Server, string Client, bool? Asked, bool OffersSession);
}
