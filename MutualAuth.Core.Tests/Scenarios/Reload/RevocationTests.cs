using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using MutualAuth.Ocsp;
using MutualAuth.Revocation;
using MutualAuth.Testing.Responders;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>
/// Revocation holds on both ends alike, from the handshake after the lists were replaced on, and sends nobody to an address that a peer chose.
/// </summary>
[CancelAfter(60000)]
public sealed class RevocationTests
{
    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World(ofItsOwn: true) { CloseTimeout = World.Moment };

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task Accepted_revoked_replaced_refused([Values] bool theServerIsRevoked)
    {
        var lists = new ReloadableLists(CurrentLists());
        var policy = new RevocationPolicy { Lists = lists };
        var client = theServerIsRevoked ? _world.ClientOptions with { Revocation = policy } : _world.ClientOptions;
        var server = theServerIsRevoked ? _world.ServerOptions : _world.ServerOptions with { Revocation = policy };

        await using (var before = await ConnectedPair.ShakeAsync(client, server))
        {
            before.Client.Accepted.IsConfirmed.Should().BeTrue();
        }

        _world.Authority.Revoke(theServerIsRevoked ? _world.ServerCertificate : _world.ClientCertificate);
        lists.Current = CurrentLists();
        await using var after = await ConnectedPair.ShakeAsync(client, server);

        var (judge, judged) = theServerIsRevoked ? (after.Client, after.Server) : (after.Server, after.Client);
        judge.Refusal.Reason.Should().Be(RejectionReason.CertificateRevoked);
        judged.Refusal.Reason.Should().Be(RejectionReason.RefusedByPeer);
    }

    /// <summary>CVE-2025-68121, CVE-2025-23419: a session from before must not carry a peer past what has changed since.</summary>
    [Test]
    public async Task A_client_that_comes_back_wanting_its_old_session_is_judged_anew([Values] TlsVersion version)
    {
        var lists = new ReloadableLists(CurrentLists());
        var server = new MutualTlsServer(_world.ServerOptions with { Revocation = new RevocationPolicy { Lists = lists } });

        (await MeetPlainClientAsync(server, version)).Connection.Should().NotBeNull();
        _world.Authority.Revoke(_world.ClientCertificate);
        lists.Current = CurrentLists();

        (await MeetPlainClientAsync(server, version)).Refusal.Reason.Should().Be(RejectionReason.CertificateRevoked);
    }

    [Test]
    public async Task A_list_that_covers_nobody_keeps_everybody_out([Values] bool theClientChecks)
    {
        var policy = new RevocationPolicy { Lists = RevocationLists.FromDer(_world.Foreign.IssueCrl().Raw) };
        await using var ends = await ConnectedPair.ShakeAsync(
            theClientChecks ? _world.ClientOptions with { Revocation = policy } : _world.ClientOptions,
            theClientChecks ? _world.ServerOptions : _world.ServerOptions with { Revocation = policy });

        (theClientChecks ? ends.Client : ends.Server).Refusal.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
    }

    [Test]
    public async Task A_deny_list_turns_away_on_both_ends([Values] bool theClientChecks)
    {
        var denied = DenyList.Of(
            DenyEntry.Serial((theClientChecks ? _world.ServerCertificate : _world.ClientCertificate).SerialNumber.ToString("X", null)));
        await using var ends = await ConnectedPair.ShakeAsync(
            theClientChecks ? _world.ClientOptions with { DenyList = denied } : _world.ClientOptions,
            theClientChecks ? _world.ServerOptions : _world.ServerOptions with { DenyList = denied });

        (theClientChecks ? ends.Client : ends.Server).Refusal.Reason.Should().Be(RejectionReason.DenyListed);
    }

    [Test]
    public async Task An_OCSP_responder_is_asked_between_TLS_and_the_verdict()
    {
        await using var responder = new OcspResponder(_world.Authority);
        using var validator =
            new OcspValidator(new OcspOptions { Responders = [new OcspEndpoint(new Uri(responder.Uri))], MaxCacheTime = TimeSpan.Zero });
        var server = _world.ServerOptions with { AsyncValidators = [validator] };

        await using (var before = await ConnectedPair.ShakeAsync(_world.ClientOptions, server))
        {
            before.Client.Accepted.IsConfirmed.Should().BeTrue();
        }

        _world.Authority.Revoke(_world.ClientCertificate);
        await using var after = await ConnectedPair.ShakeAsync(_world.ClientOptions, server);

        after.Server.Refusal.Reason.Should().Be(RejectionReason.CertificateRevoked);
        after.Client.Refusal.PeerReason.Should().Be(PublicReason.CertificateRevoked);
        responder.Hits.Should().Be(2);
    }

    [Test]
    public async Task Addresses_in_a_peers_certificate_are_never_fetched()
    {
        await using var trap = new AiaTrap();
        using var baited = _world.Authority.Issue(spec => trap.Bait(spec with { DnsNames = ["server.test", "client.test"] }));
        var policy = new RevocationPolicy { Lists = CurrentLists() };
        var identity = World.ToIdentity(baited);

        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Identity = identity, Revocation = policy },
            _world.ServerOptions with { Identity = identity, Revocation = policy });

        ends.Client.Accepted.IsConfirmed.Should().BeTrue();
        ends.Server.Accepted.IsConfirmed.Should().BeTrue();
        trap.Hits.Should().Be(0);
    }

    [Test]
    public void A_start_without_lists_says_that_revocation_is_not_checked()
    {
        EventsOf(options => options).Should().ContainSingle().Which.Should().Be(1110);
        EventsOf(options => options with { Revocation = new RevocationPolicy { Lists = RevocationLists.DangerouslyUnchecked } }).Should().Equal(1110);
        EventsOf(options => options with { Revocation = new RevocationPolicy { Lists = CurrentLists() } }).Should().BeEmpty();
        EventsOf(options => options with { Revocation = new RevocationPolicy { Lists = CurrentLists(), Coverage = RevocationCoverage.LeafOnly } })
            .Should().Equal(1111);
    }

    [Test]
    public void A_policy_that_contradicts_itself_is_reported_at_construction()
    {
        FluentActions.Invoking(() => new MutualTlsServer(_world.ServerOptions with { Revocation = new RevocationPolicy { Lists = null! } }))
            .Should().Throw<ArgumentException>().WithMessage("*Lists*");
        FluentActions.Invoking(() => new MutualTlsServer(_world.ServerOptions with
        {
            Revocation = new RevocationPolicy { Lists = RevocationLists.Empty, DangerousGracePeriod = TimeSpan.FromSeconds(-1) },
        })).Should().Throw<ArgumentException>().WithMessage("*GracePeriod*");
    }

    /// <summary>A client of plain TLS, which resumes whatever session its platform has kept for this server name and certificate.</summary>
    private async Task<End> MeetPlainClientAsync(MutualTlsServer server, TlsVersion version)
    {
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        var ours = End.OfAsync(server.AcceptAsync(serverSocket));
        try
        {
            await using var peer = await ScriptedTlsPeer.AsClientAsync(
                new NetworkStream(clientSocket, ownsSocket: true), _world.ClientCertificate, version, protocol: null);
            var hearing = peer.HearOneOrLeaveAsync(); // reading is what takes in the tickets of TLS 1.3, if there were any
            var end = await ours;
            if (end.Connection is { } connection)
            {
                await connection.Stream.WriteAsync("x"u8.ToArray());
                await hearing;
                await connection.DisposeAsync();
            }
        }
        catch (AuthenticationException) when (Platform.JudgesWithinTheHandshake)
        {
            // Refused by an alert within TLS 1.2.
        }

        return await ours;
    }

    private int[] EventsOf(Func<MutualTlsServerOptions, MutualTlsServerOptions> change)
    {
        var logs = new FakeLogCollector();
        using var factory = new LoggerFactory([new FakeLoggerProvider(logs)]);
        _ = new MutualTlsServer(change(_world.ServerOptions) with { LoggerFactory = factory });
        return [.. logs.GetSnapshot().Select(record => record.Id.Id).Where(id => id is 1110 or 1111)];
    }

    private RevocationLists CurrentLists() => RevocationLists.FromDer(_world.Authority.IssueCrl().Raw);
}
