using System.Net.Security;
using System.Security.Authentication;
using MutualAuth.Handshake;
using MutualAuth.Testing;
using MutualAuth.Testing.Transports;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>
/// Attacks that came in by a resumed session elsewhere. Here nobody gives tickets and nobody takes them: whoever offers a session gets a full
/// handshake, and is judged by the rules of that moment. That the peers of these tests would resume where they can is a test of its own.
/// </summary>
[CancelAfter(60000)]
public sealed class ResumptionTests
{
    private World _world = null!;
    private TestAuthority _issuing = null!;
    private TestCertificate _client = null!;
    private bool _givesTickets;

    [SetUp]
    public async Task SetUpAsync()
    {
        _givesTickets = !await SharedContext.FindOut();
        _world = new World { CloseTimeout = World.Moment };
        _issuing = _world.Authority.IssueIntermediate("Issuing");
        _client = _issuing.IssueClient("client.test");
    }

    [TearDown]
    public void TearDown()
    {
        _client.Dispose();
        _issuing.Dispose();
        _world.Dispose();
    }

    [Test]
    public async Task A_plain_server_takes_up_the_session_that_these_clients_offer([Values] TlsVersion version)
    {
        (await VisitPlainServerAsync(_client, version)).Should().Be((false, false));
        (await VisitPlainServerAsync(_client, version)).Should().Be((Gives(version), Gives(version)));
    }

    /// <summary>Go: the certificates of a resumed session were not held to a configuration that had changed since.</summary>
    [Test]
    public async Task CVE_2025_68121_a_session_does_not_carry_a_peer_past_an_anchor_that_was_removed(
        [Values] TlsVersion version, [Values] bool wasRemoved)
    {
        await VisitPlainServerAsync(_client, version);
        var trust = new ReloadableTrust(_world.Trust);
        var server = new MutualTlsServer(_world.ServerOptions with { Trust = trust });
        (await VisitAsync(server, _client, version)).End.Accepted.Peer.Name.Should().Be("client.test");

        trust.Replace(
            wasRemoved
                ? _world.Foreign.ToTrustAnchors()
                : TrustAnchors.From([.. _world.Authority.ToCertificateCollection(), .. _world.Foreign.ToCertificateCollection()]));
        var again = await VisitAsync(server, _client, version);

        (again.Offered, again.Resumed).Should().Be((Gives(version), false));
        if (wasRemoved)
        {
            again.End.Refusal.Reason.Should().Be(RejectionReason.UnknownAuthority);
        }
        else
        {
            again.End.Accepted.Peer.Name.Should().Be("client.test");
        }
    }

    /// <summary>nginx: a session from one server block opened another one of the same process that demands more.</summary>
    [Test]
    public async Task CVE_2025_23419_a_session_of_a_lax_listener_opens_no_strict_one_with_the_same_certificate([Values] TlsVersion version)
    {
        using var stranger = _world.Foreign.IssueClient("client.test");
        var lax = new MutualTlsServer(_world.ServerOptions with { Trust = _world.Foreign.ToTrustAnchors() });
        var strict = new MutualTlsServer(_world.ServerOptions);
        await VisitPlainServerAsync(stranger, version); // the laxest of all: it lets everybody in, and gives tickets
        (await VisitAsync(lax, stranger, version)).End.Accepted.Peer.Name.Should().Be("client.test");

        var visit = await VisitAsync(strict, stranger, version);

        (visit.Offered, visit.Resumed).Should().Be((Gives(version), false));
        visit.End.Refusal.Reason.Should().Be(RejectionReason.UnknownAuthority);
    }

    /// <summary>Node.js: a client used the session of one server for another name.</summary>
    [Test]
    public async Task CVE_2026_48934_a_client_of_ours_offers_no_session_to_anybody_and_checks_the_name_each_time([Values] TlsVersion version)
    {
        var client = new MutualTlsClient(_world.ClientOptions with { MaximumTlsVersion = version, MinimumTlsVersion = TlsVersion.Tls12 });
        (await VisitPlainServerAsync(client, "server.test", version)).End.Accepted.Peer.Name.Should().Be("server.test");
        var again = await VisitPlainServerAsync(client, "server.test", version);
        (again.Offered, again.Resumed).Should().Be((false, false));
        again.End.Accepted.Peer.Name.Should().Be("server.test");

        var other = await VisitPlainServerAsync(client, "other.test", version);

        other.Offered.Should().BeFalse();
        other.End.Refusal.Reason.Should().Be(RejectionReason.ServerNameMismatch);
    }

    /// <summary>dotnet/runtime 123238: after TLS 1.3 resumption the platform's facts about the two identities are wrong.</summary>
    [Test]
    public async Task Runtime_issue_123238_what_is_known_of_both_identities_is_as_complete_as_the_first_time([Values] TlsVersion version)
    {
        await VisitPlainServerAsync(_client, version);
        var server = new MutualTlsServer(_world.ServerOptions);
        var first = await VisitAsync(server, _client, version);
        var again = await VisitAsync(server, _client, version);
        (again.Offered, again.Resumed).Should().Be((Gives(version), false));
        again.End.Accepted.Peer.Path.Should().HaveCount(3, "a ticket would hold the client's own certificate alone");
        again.End.Accepted.Peer.Path.Should().Equal(first.End.Accepted.Peer.Path);
        again.End.Accepted.Session.Should().Be(first.End.Accepted.Session);

        var client = new MutualTlsClient(_world.ClientOptions with { MaximumTlsVersion = version });
        for (var visit = 0; visit < 2; visit++)
        {
            var meeting = await VisitPlainServerAsync(client, "server.test", version);
            meeting.End.Accepted.Peer.Path.Should().HaveCount(2);
            meeting.ShownToServer.Should().Be("CN=client.test");
        }
    }

    /// <summary>
    /// Were the platform to give sessions after all, where it has said that it gives none, then none is resumed: TLS 1.3 is refused, and TLS 1.2
    /// never shares a context.
    /// </summary>
    [Test]
    public async Task A_session_that_the_platform_takes_up_is_refused_before_anything_goes_out([Values] TlsVersion version, [Values] bool shares)
    {
        Assume.That(Gives(version), "there is nothing to attack with");
        var server = new MutualTlsServer(_world.ServerOptions with { SharesContextUnasked = shares });
        (await VisitAsync(server, _client, version)).End.Accepted.Peer.Name.Should().Be("client.test");

        var again = await VisitAsync(server, _client, version, mayBeRefusedWithin: true);

        again.Resumed.Should().BeFalse();
        if (shares && version == TlsVersion.Tls13)
        {
            again.Offered.Should().BeTrue();
            again.End.Refusal.Reason.Should().Be(RejectionReason.TlsProtocolViolation);
            again.End.Refusal.Message.Should().Contain("resumed");
        }
        else
        {
            again.End.Accepted.Peer.Path.Should().HaveCount(3);
        }
    }

    /// <summary>A plain client, which offers whatever session its platform keeps for this name and certificate, at a server of ours.</summary>
    private static async Task<Visit> VisitAsync(
        MutualTlsServer server, TestCertificate certificate, TlsVersion version, bool mayBeRefusedWithin = false)
    {
        await using var wire = Recorded();
        var accepting = End.OfAsync(server.AcceptAsync(wire.Server));
        End end;
        try
        {
            await using var client = await ScriptedTlsPeer.AsClientAsync(wire.Client, certificate, version, protocol: null);
            var hearing = client.HearOneOrLeaveAsync(); // reading is what takes in the tickets of TLS 1.3, if there were any
            end = await accepting;
            if (end.Connection is { } connection)
            {
                await connection.Stream.WriteAsync("x"u8.ToArray());
                await hearing;
                await connection.DisposeAsync();
            }
        }
        catch (AuthenticationException) when (mayBeRefusedWithin || Platform.JudgesWithinTheHandshake)
        {
            end = await accepting; // refused by an alert within TLS 1.2
        }

        return new Visit(end, SessionTap.OffersSession(wire.ClientToServer.Recording), SessionTap.IsResumed(wire.ServerToClient.Recording));
    }

    /// <summary>A plain client at a plain server that gives tickets and lets everybody in.</summary>
    private async Task<(bool Offered, bool Resumed)> VisitPlainServerAsync(TestCertificate certificate, TlsVersion version)
    {
        await using var wire = Recorded();
        await using var server = new SslStream(wire.Server);
        var accepting = server.AuthenticateAsServerAsync(PlainServerOptions(version));
        await using var client = await ScriptedTlsPeer.AsClientAsync(wire.Client, certificate, version, protocol: null);
        await accepting.WaitAsync(ConnectedPair.Deadline);
        await server.WriteAsync("x"u8.ToArray());
        await client.HearAsync(1);
        await client.EndAsync();
        return (SessionTap.OffersSession(wire.ClientToServer.Recording), SessionTap.IsResumed(wire.ServerToClient.Recording));
    }

    /// <summary>A client of ours at the same plain server.</summary>
    private async Task<Visit> VisitPlainServerAsync(MutualTlsClient client, string serverName, TlsVersion version)
    {
        await using var wire = Recorded();
        await using var server = new SslStream(wire.Server);
        var accepting = server.AuthenticateAsServerAsync(PlainServerOptions(version));
        var upgrading = End.OfAsync(client.UpgradeAsync(wire.Client, serverName));
        await accepting.WaitAsync(ConnectedPair.Deadline).ContinueWith(_ => { }, TaskScheduler.Default);
        if (!server.IsAuthenticated || upgrading != await Task.WhenAny(upgrading, server.CopyToAsync(Stream.Null)))
        {
            await server.DisposeAsync(); // or the client that refuses it would wait a second for its end
        }

        var end = await upgrading;
        if (end.Connection is { } connection)
        {
            await server.WriteAsync("x"u8.ToArray());
            await connection.Stream.ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline);
            await connection.DisposeAsync();
        }

        return new Visit(end, SessionTap.OffersSession(wire.ClientToServer.Recording), SessionTap.IsResumed(wire.ServerToClient.Recording))
        {
            ShownToServer = server.IsAuthenticated ? server.RemoteCertificate?.Subject : null,
        };
    }

    private SslServerAuthenticationOptions PlainServerOptions(TlsVersion version) => new()
    {
        ServerCertificateContext = _world.ServerIdentity.TlsContext,
        ClientCertificateRequired = true,
        EnabledSslProtocols = version == TlsVersion.Tls13 ? SslProtocols.Tls13 : SslProtocols.Tls12,
        RemoteCertificateValidationCallback = (_, _, _, _) => true,
    };

    /// <summary>
    /// Whether plain servers of this process give sessions. Without tickets, which OPENSSL_CONF takes away, TLS 1.2 still has identifiers.
    /// </summary>
    private bool Gives(TlsVersion version) => _givesTickets || version == TlsVersion.Tls12;

    private static DuplexPair Recorded()
    {
        var wire = new DuplexPair();
        wire.ClientToServer.Record = wire.ServerToClient.Record = true;
        return wire;
    }

    private sealed record Visit(End End, bool Offered, bool Resumed)
    {
        internal string? ShownToServer { get; init; }
    }
}
