using System.Net;
using System.Net.Sockets;
using MutualAuth.Credentials;
using MutualAuth.Paths;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>What stands in the log, or in the exception, is enough to know what happened and what to do.</summary>
[CancelAfter(60000)]
public sealed class WhatTheLogSaysTests
{
    private World _world = null!;
    private EventLog _log = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new World { CloseTimeout = World.Moment };
        _log = new EventLog();
    }

    [TearDown]
    public void TearDown()
    {
        _log.Dispose();
        _world.Dispose();
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Who_connects_and_leaves_without_a_word_is_a_probe_and_no_warning(bool isReset)
    {
        var refusal = await MeetAsync([], isReset);

        (refusal.Failure, refusal.Reason).Should().Be((HandshakeFailure.TransportLost, RejectionReason.NoClientHello));
        Outcome().Should().Be(1006);
    }

    [TestCase(false, RejectionReason.NotTls)]
    [TestCase(true, RejectionReason.TransportFailed)]
    public async Task Who_says_one_octet_is_none(bool isReset, RejectionReason reason)
    {
        var refusal = await MeetAsync([0], isReset);

        // A reset may take the octet along before it is read.
        refusal.Reason.Should().BeOneOf(isReset ? [reason, RejectionReason.NoClientHello] : [reason]);
        Outcome().Should().Be(refusal.Reason == RejectionReason.NoClientHello ? 1006 : 1003);
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_success_says_who_and_by_what(bool logsIn)
    {
        var users = new MemoryCredentialStore();
        await users.SetAsync("alice b", ScramVerifier.Create(Password.From("right"), iterations: ScramVerifier.MinIterations));
        var server = _world.ServerOptions with
        {
            LoggerFactory = _log,
            ApplicationProtocols = ["echo"],
            Credentials = logsIn ? Require.CertificateAndUser(SaslServer.Scram(users)) : Require.Certificate,
        };

        var client = _world.ClientOptions with
        { Credentials = logsIn ? Login.WithPassword("alice b", "right") : null, ApplicationProtocols = ["echo"] };

        await using var ends = await ConnectedPair.ShakeAsync(client, server);

        var values = (await _log.NextAsync(1000)).Values;
        var certificate = ends.Server.Accepted.Peer.Certificate!;
        values["Peer"].Should().Be("client.test");
        values["User"].Should().Be(logsIn ? "alice%20b" : "none");
        values["Proofs"].Should().Be(logsIn ? "Certificate, Password, ChannelBinding" : "Certificate");
        values["SerialNumber"].Should().Be(certificate.SerialNumber);
        values["Fingerprint"].Should().Be(certificate.Thumbprint);
        values["CipherSuite"].Should().Be(ends.Server.Accepted.Session.CipherSuite.ToString());
        values["ApplicationProtocol"].Should().Be("echo");
        values["RemoteEndPoint"].Should().Be(ends.Server.Accepted.RemoteEndPoint!.ToString());
    }

    [Test]
    public async Task A_rejection_has_its_facts_as_fields()
    {
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions, _world.ServerOptions with { LoggerFactory = _log, Authorization = Authorize.Dns("other.test") });

        var rejection = ends.Server.Refusal.Rejection;
        var values = (await _log.NextAsync(1001)).Values;
        (values["Reason"], values["Expected"], values["Presented"], values["Element"])
            .Should().Be(("not_authorized", rejection.Expected, rejection.Presented, rejection.Element));
    }

    [Test]
    public async Task A_refused_client_is_told_what_it_showed()
    {
        using var intermediate = _world.Foreign.IssueIntermediate("Their Issuing");
        using var certificate = intermediate.IssueClient("stranger.test");
        var client = _world.ClientOptions with { Identity = World.ToIdentity(certificate), LoggerFactory = _log };

        await using var ends = await ConnectedPair.ShakeAsync(client, _world.ServerOptions);

        ends.Client.Refusal.PeerReason.Should().Be(PublicReason.UnknownCa);
        ends.Client.Refusal.Message.Should().ContainAll(
            "CN=stranger.test", "issued by \"CN=Their Issuing\"", "1 intermediate", "must trust \"CN=Theirs\"");
        ((Rejection)(await _log.NextAsync(1002)).Values["Rejection"]!).Hint.Should().Contain("CN=stranger.test");
    }

    [Test]
    public async Task A_client_without_a_certificate_is_told_that_it_had_none()
    {
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions with { Identity = ClientIdentity.None }, _world.ServerOptions);

        ends.Client.Refusal.Rejection.Hint.Should().Be(
            "The server wants a certificate of ours, and Identity is ClientIdentity.None. We had no certificate to show.");
    }

    [Test]
    public async Task A_refusal_that_is_not_about_the_certificate_says_nothing_of_it()
    {
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions, _world.ServerOptions with { SelectServer = (_, _, _) => throw new InvalidOperationException() });

        ends.Client.Refusal.PeerReason.Should().Be(PublicReason.InternalError);
        (ends.Client.Refusal.Rejection.Hint ?? string.Empty).Should().NotContain("CN=client.test");
    }

    [Test]
    public async Task A_server_that_closes_without_a_word_has_probably_rejected_us()
    {
        var (peer, ours) = await ConnectedPair.SocketPairAsync();
        var dialling = End.OfAsync(new MutualTlsClient(_world.ClientOptions).UpgradeAsync(ours, "server.test"));
        await peer.ReceiveAsync(new byte[4096]).WaitAsync(ConnectedPair.Deadline);
        peer.Shutdown(SocketShutdown.Both);
        peer.Dispose();

        var refusal = (await dialling).Refusal;
        refusal.Failure.Should().Be(HandshakeFailure.TransportLost);
        if (refusal.Reason == RejectionReason.TransportClosed)
        {
            refusal.Rejection.Hint.Should().ContainAll("server's log", "CN=client.test", "issued by \"CN=Ours\"", "0 intermediates");
        }
    }

    [Test]
    public async Task A_client_that_closes_after_our_certificate_may_have_rejected_it()
    {
        var (peer, ours) = await ConnectedPair.SocketPairAsync();
        var accepting = End.OfAsync(new MutualTlsServer(_world.ServerOptions).AcceptAsync(ours));
        await peer.SendAsync(await HelloBytes.OfRealClientAsync());
        var buffer = new byte[16384];
        await peer.ReceiveAsync(buffer).WaitAsync(ConnectedPair.Deadline);
        peer.Shutdown(SocketShutdown.Send);
        while (await peer.ReceiveAsync(buffer).WaitAsync(ConnectedPair.Deadline) > 0)
        {
        }

        var refusal = (await accepting).Refusal;
        refusal.Reason.Should().Be(RejectionReason.TransportClosed);
        refusal.Rejection.Hint.Should().ContainAll("its log", "CN=server.test");
    }

    [TestCase(1, "the trust anchor \"CN=Ours\"")]
    [TestCase(3, "the trust anchors \"CN=Ours\" or \"CN=A\" or \"CN=B\"")]
    [TestCase(4, "one of 4 trust anchors")]
    public async Task Few_anchors_are_named_and_many_are_counted(int count, string expected)
    {
        TestAuthority[] others = [new("A"), new("B"), new("C")];
        var trust = TrustAnchors.From([_world.Authority.Root.Certificate, .. others.Take(count - 1).Select(other => other.Root.Certificate)]);
        using var stranger = _world.Foreign.IssueClient("stranger.test");

        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Identity = World.ToIdentity(stranger) }, _world.ServerOptions with { Trust = trust });

        var rejection = ends.Server.Refusal.Rejection;
        (rejection.Reason, rejection.Expected).Should().Be((RejectionReason.UnknownAuthority, $"a path to {expected}"));
        trust.ToString().Should().Be(count == 1 ? "1 anchor" : $"{count} anchors");
        Array.ForEach(others, other => other.Dispose());
    }

    private static IEnumerable<TestCaseData> DoubtfulIdentities()
    {
        static TestCaseData Case(string name, Func<CertificateSpec, CertificateSpec> change, string says) =>
            new TestCaseData(change, says).SetArgDisplayNames(name);

        yield return Case("expired", spec => spec with { NotAfter = DateTimeOffset.UtcNow.AddDays(-1) }, "expired at");
        yield return Case("not valid yet", spec => spec with { NotBefore = DateTimeOffset.UtcNow.AddDays(1) }, "valid only from");
        yield return Case("an authority's", spec => spec with { BasicConstraints = new BasicConstraints(true) }, "certificate_authority_as_leaf");
        yield return Case("a client's", spec => spec with { ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth] }, "wrong_usage");
        yield return Case(
            "without a name", spec => spec with { DnsNames = [], EmailAddresses = ["a@server.test"] }, "no subject alternative name with");
    }

    [TestCaseSource(nameof(DoubtfulIdentities))]
    public void What_peers_would_reject_in_our_own_certificate_is_said_at_the_start(Func<CertificateSpec, CertificateSpec> change, string says)
    {
        using var certificate = _world.Authority.Issue(spec => change(spec with
        {
            Subject = "CN=server.test",
            DnsNames = ["server.test"],
            ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth],
            NotBefore = DateTimeOffset.UtcNow.AddDays(-9),
        }));

        _ = new MutualTlsServer(_world.ServerOptions with { Identity = World.ToIdentity(certificate), LoggerFactory = _log });

        Warnings().Should().ContainSingle().Which.Should().Contain(says);
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_chain_that_lacks_its_intermediate_is_named_at_the_start(bool isComplete)
    {
        using var intermediate = _world.Authority.IssueIntermediate("Issuing");
        using var certificate = intermediate.IssueClient("client.test");
        var identity = Identity.From(certificate.Certificate, isComplete ? certificate.Chain : []);

        _ = new MutualTlsClient(_world.ClientOptions with { Identity = identity, LoggerFactory = _log });

        if (isComplete)
        {
            Warnings().Should().BeEmpty();
        }
        else
        {
            Warnings().Should().ContainSingle().Which.Should().ContainAll("CN=Issuing", "missing intermediates", "not the trusted authority");
        }
    }

    [Test]
    public void A_sound_identity_is_not_talked_about()
    {
        _ = new MutualTlsServer(_world.ServerOptions with { LoggerFactory = _log });
        _ = new MutualTlsClient(_world.ClientOptions with { LoggerFactory = _log });
        _ = new MutualTlsClient(_world.ClientOptions with { LoggerFactory = _log, Identity = ClientIdentity.None });

        Warnings().Should().BeEmpty();
    }

    [Test]
    public async Task Versions_are_words()
    {
        var refusal = await MeetAsync(HelloBytes.Records(HelloBytes.Message(0x0302)), isReset: false);

        (refusal.Reason, refusal.Rejection.Presented).Should().Be((RejectionReason.ProtocolVersionUnsupported, "TLS 1.1"));
    }

    [TestCase("<!DOCTYPE html>", RejectionReason.NotTls, "the text \"<!DOCTYP\"")]
    [TestCase("SSH-2.0-OpenSSH_9.2\r\n", RejectionReason.PlainSsh, "dial another")]
    [TestCase("HTTP/1.1 400 Bad Request\r\n\r\n", RejectionReason.PlainHttp, "dial another")]
    public async Task A_client_that_meets_no_TLS_is_not_told_of_a_wrong_dialler(string says, RejectionReason reason, string words)
    {
        var (peer, ours) = await ConnectedPair.SocketPairAsync();
        using var _ = peer;
        var dialling = End.OfAsync(new MutualTlsClient(_world.ClientOptions).UpgradeAsync(ours, "server.test"));
        await peer.SendAsync(System.Text.Encoding.ASCII.GetBytes(says));
        peer.Shutdown(SocketShutdown.Send);

        var refusal = (await dialling).Refusal;

        refusal.Reason.Should().Be(reason);
        refusal.Message.Should().Contain(words).And.NotContain("The peer has dialled");
    }

    [Test]
    public async Task What_was_dialled_is_named_as_people_write_it()
    {
        using var unused = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        unused.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var port = ((IPEndPoint)unused.LocalEndPoint!).Port;

        var client = new MutualTlsClient(_world.ClientOptions with { LoggerFactory = _log });
        var refusal = (await End.OfAsync(client.ConnectAsync("localhost", port))).Refusal;

        refusal.Rejection.Expected.Should().Be($"an answer from \"localhost:{port}\"");
        refusal.Rejection.Presented.Should().StartWith("ConnectionRefused (tried ").And.Contain("127.0.0.1");
        (await _log.NextAsync(1003)).Values["RemoteEndPoint"].Should().Be($"localhost:{port}");
    }

    [Test]
    public async Task A_peer_and_a_connection_print_as_what_they_are()
    {
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions);
        var served = ends.Server.Accepted;

        served.Peer.ToString().Should().Be($"client.test at {served.RemoteEndPoint}");
        served.ToString().Should().Be($"client.test at {served.RemoteEndPoint}, TLS 1.3, no application protocol, confirmed");
    }

    private int Outcome() => _log.Drain().Select(entry => entry.Id).Single(id => id is >= 1000 and < 1100);

    private IEnumerable<string> Warnings() => _log.Drain().Where(entry => entry.Id == 1113).Select(entry => (string)entry.Values["Problem"]!);

    private async Task<HandshakeException> MeetAsync(byte[] says, bool isReset)
    {
        var (peer, ours) = await ConnectedPair.SocketPairAsync();
        var accepting = End.OfAsync(new MutualTlsServer(_world.ServerOptions with { LoggerFactory = _log }).AcceptAsync(ours));
        await peer.SendAsync(says);
        if (isReset)
        {
            peer.LingerState = new LingerOption(true, 0);
            peer.Dispose();
        }
        else
        {
            peer.Shutdown(SocketShutdown.Send);
        }

        var refusal = (await accepting).Refusal;
        peer.Dispose();
        return refusal;
    }
}
