using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Authorization;
using MutualAuth.Callbacks;
using MutualAuth.Credentials;
using MutualAuth.Paths;
using MutualAuth.Pinning;
using MutualAuth.Platforms;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Trust;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Callbacks;

/// <summary>Judging in the callbacks of other libraries: by the same rules as in a handshake, and everything that fails is a no.</summary>
[CancelAfter(60000)]
public sealed class ValidationCallbacksTests
{
    private CallbackWorld _world = null!;

    [SetUp]
    public void SetUp() => _world = new CallbackWorld();

    [TearDown]
    public void TearDown() => _world.Dispose();

    /// <summary>Each row differs from the first in one fact.</summary>
    [TestCase("nothing", null)]
    [TestCase("another authority", RejectionReason.UnknownAuthority)]
    [TestCase("another name", RejectionReason.ServerNameMismatch)]
    [TestCase("revoked", RejectionReason.CertificateRevoked)]
    [TestCase("no list", RejectionReason.RevocationStatusUnknown)]
    [TestCase("denied", RejectionReason.DenyListed)]
    [TestCase("another pin", RejectionReason.PinMismatch)]
    [TestCase("expired", RejectionReason.CertificateExpired)]
    [TestCase("a client's purpose", RejectionReason.WrongUsage)]
    [TestCase("too large", RejectionReason.CertificateTooLarge)]
    [TestCase("an objection", RejectionReason.ValidatorRefused)]
    public async Task A_server_is_judged_as_in_a_handshake(string changed, RejectionReason? expected)
    {
        var server = changed switch
        {
            "a client's purpose" => _world.Issuing.IssueClient("server.test"),
            _ => _world.Server,
        };
        if (changed == "revoked")
        {
            _world.Issuing.Revoke(server);
        }

        var stage = _world.OnServers with
        {
            Trust = (changed == "another authority" ? _world.Foreign : _world.Root).ToTrustAnchors(),
            Revocation = changed == "no list"
                ? new RevocationPolicy { Lists = RevocationLists.FromDer(_world.Root.IssueCrl().Raw) }
                : _world.Lists(),
            DenyList = changed == "denied" ? DenyList.Of(DenyEntry.Key(CallbackWorld.PinOf(server))) : null,
            Pins = PinSet.DangerouslyWithoutBackup(CallbackWorld.PinOf(changed == "another pin" ? _world.Client : server)),
            CertificateLimits = changed == "too large" ? new CertificateLimits { MaxCertificateBytes = 1024 } : new CertificateLimits(),
            Validators = changed == "an objection" ? [new Objection()] : [],
        };
        if (changed == "too large")
        {
            server = _world.Issuing.Issue(spec => spec with
            { DnsNames = ["server.test", .. Enumerable.Range(0, 60).Select(number => $"another-name-{number}.test")] });
            stage = stage with { Pins = null };
        }

        var callback = _world.Callbacks(stage).ForServer(changed == "another name" ? "other.test" : "server.test");
        if (changed == "expired")
        {
            _world.Clock.Advance(TimeSpan.FromDays(365 * 50));
        }

        var connected = await _world.DialAsync(callback, server);

        (connected, _world.Judged!.Rejection?.Reason).Should().Be((expected is null, expected), _world.Judged.Rejection?.ToString());
        (_world.Judged.Peer?.Name, _world.Judged.IsShadow).Should().Be((expected is null ? "server.test" : null, false));
    }

    [TestCase("nothing", null)]
    [TestCase("another authority", RejectionReason.UnknownAuthority)]
    [TestCase("another name", RejectionReason.NotAuthorized)]
    [TestCase("a server's purpose", RejectionReason.WrongUsage)]
    [TestCase("no certificate", RejectionReason.NoCertificate)]
    public async Task A_client_is_judged_as_in_a_handshake(string changed, RejectionReason? expected)
    {
        using var client = changed switch
        {
            "another authority" => _world.Foreign.IssueClient("client.test"),
            "another name" => _world.Issuing.IssueClient("other.test"),
            "a server's purpose" => _world.Issuing.IssueServer("client.test"),
            "no certificate" => null,
            _ => _world.Issuing.IssueClient("client.test"),
        };

        var connected = await _world.AcceptAsync(_world.Callbacks(_world.OnClients).ForClient(), client);

        (connected, _world.Judged!.Rejection?.Reason).Should().Be((expected is null, expected), _world.Judged.Rejection?.ToString());
    }

    [TestCase("server.test", null)]
    [TestCase("other.test", RejectionReason.ServerNameMismatch)]
    [TestCase("", RejectionReason.ServerNameMismatch)]
    public async Task Without_a_name_of_its_own_it_takes_that_of_the_stream(string targetHost, RejectionReason? expected)
    {
        await _world.DialAsync(_world.Callbacks(_world.OnServers).ForServer(), targetHost: targetHost);

        _world.Judged!.Rejection?.Reason.Should().Be(expected);
        (_world.Judged.Rejection is null).Should().Be(expected is null);
    }

    [Test]
    public async Task A_name_of_its_own_goes_before_that_of_the_stream()
    {
        var callbacks = _world.Callbacks(_world.OnServers);

        (await _world.DialAsync(callbacks.ForServer("server.test"), targetHost: "other.test")).Should().BeTrue();
        (await _world.DialAsync(callbacks.ForServer("other.test"), targetHost: "server.test")).Should().BeFalse();
    }

    /// <summary>As MQTTnet calls, for example.</summary>
    [TestCase("server.test", null)]
    [TestCase(null, RejectionReason.ServerNameMismatch)]
    public void A_caller_that_is_no_stream_has_no_name(string? name, RejectionReason? expected)
    {
        using var chain = CallbackWorld.ChainOf(_world.Server);

        var answer = _world.Callbacks(_world.OnServers).ForServer(name)(new object(), _world.Server.Certificate, chain, SslPolicyErrors.None);

        (answer, _world.Judged!.Rejection?.Reason).Should().Be((expected is null, expected));
        if (expected is not null)
        {
            _world.Judged.Rejection!.Hint.Should().Contain("ForServer");
        }
    }

    [Test]
    public void A_name_that_is_none_is_an_error_at_once() =>
        FluentActions.Invoking(() => _world.Callbacks(_world.OnServers).ForServer("no name")).Should().Throw<FormatException>();

    [Test]
    public void What_the_peer_sends_beside_its_certificate_is_a_candidate_and_nothing_more()
    {
        using var impostor = _world.Foreign.IssueServer("server.test");
        using var itsRoot = CallbackWorld.ChainOf(impostor);
        itsRoot.ChainPolicy.ExtraStore.Add(_world.Foreign.Certificate);
        itsRoot.ChainPolicy.ExtraStore.Add(_world.Root.Certificate);
        using var intermediate = CallbackWorld.ChainOf(_world.Server);
        using var nothing = new X509Chain();
        var callback = _world.Callbacks(_world.OnServers).ForServer("server.test");

        callback(this, _world.Server.Certificate, intermediate, SslPolicyErrors.None).Should().BeTrue();
        callback(this, impostor.Certificate, itsRoot, SslPolicyErrors.None).Should().BeFalse();
        _world.Judged!.Rejection!.Reason.Should().Be(RejectionReason.UnknownAuthority);
        callback(this, _world.Server.Certificate, nothing, SslPolicyErrors.None).Should().BeFalse();
        callback(this, _world.Server.Certificate, null, SslPolicyErrors.None).Should().BeFalse();
        _world.Judged.Rejection!.Reason.Should().Be(RejectionReason.UnknownAuthority);
    }

    /// <summary>An intermediate from the machine's store would hide that the peer does not send it.</summary>
    [Test]
    public void What_the_platform_found_itself_is_not_used()
    {
        using var chain = CallbackWorld.ChainOf(_world.Server);
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_world.Root.Certificate);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = _world.Clock.GetUtcNow().UtcDateTime;
        chain.Build(_world.Server.Certificate).Should().BeTrue();
        var callback = _world.Callbacks(_world.OnServers).ForServer("server.test");
        callback(this, _world.Server.Certificate, chain, SslPolicyErrors.None).Should().BeTrue();

        chain.ChainPolicy.ExtraStore.Clear();
        chain.ChainElements.Should().HaveCount(3);

        callback(this, _world.Server.Certificate, chain, SslPolicyErrors.None).Should().BeFalse();
        _world.Judged!.Rejection!.Reason.Should().Be(RejectionReason.UnknownAuthority);
    }

    [TestCase(SslPolicyErrors.None, false)]
    [TestCase(SslPolicyErrors.RemoteCertificateChainErrors | SslPolicyErrors.RemoteCertificateNameMismatch, true)]
    public void The_opinion_of_the_platform_counts_for_nothing(SslPolicyErrors opinion, bool genuine)
    {
        using var server = (genuine ? _world.Root : _world.Foreign).IssueServer("server.test");

        _world.Callbacks(_world.OnServers).ForServer("server.test")(this, server.Certificate, null, opinion).Should().Be(genuine);
    }

    [Test]
    public async Task A_callback_for_the_other_role_rejects()
    {
        using var both = _world.Issuing.Issue(spec => spec with
        { DnsNames = ["client.test", "server.test"], ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth, ExtendedKeyUsage.ServerAuth] });
        var callbacks = _world.Callbacks(_world.OnClients);

        (await _world.DialAsync(callbacks.ForClient(), both)).Should().BeFalse();
        _world.Judged!.Rejection!.Hint.Should().Contain("ForServer");
        (await _world.AcceptAsync(callbacks.ForServer("client.test"), both)).Should().BeFalse();
        _world.Judged!.Rejection!.Hint.Should().Contain("ForClient");
        (await _world.AcceptAsync(callbacks.ForClient(), both)).Should().BeTrue();
    }

    [Test]
    public void What_throws_is_a_no()
    {
        var disposed = _world.Root.IssueServer("server.test");
        var certificate = disposed.Certificate;
        disposed.Dispose();
        using var sound = _world.Root.IssueServer("server.test");
        var stage = new CertificateStage(_world.OnServers);
        CallbackJudgement? judged = null;
        var options = _world.Options with { OnJudged = judgement => judged = judgement };

        new ValidationCallbacks(stage, options).ForServer("server.test")(this, sound.Certificate, null, SslPolicyErrors.None).Should().BeTrue();
        new ValidationCallbacks(stage, options).ForServer("server.test")(this, certificate, null, SslPolicyErrors.None).Should().BeFalse();
        judged!.Rejection!.Reason.Should().Be(RejectionReason.SourceFaulted);
        var broken = new ValidationCallbacks(stage, options with { TimeProvider = new BrokenClock() });
        broken.ForServer("server.test")(this, sound.Certificate, null, SslPolicyErrors.None).Should().BeFalse();
        judged.Rejection.Reason.Should().Be(RejectionReason.SourceFaulted);
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_hook_that_throws_changes_no_answer(bool genuine)
    {
        using var server = (genuine ? _world.Root : _world.Foreign).IssueServer("server.test");
        var callbacks = new ValidationCallbacks(
            new CertificateStage(_world.OnServers), _world.Options with { OnJudged = _ => throw new InvalidOperationException("hook") });

        callbacks.ForServer("server.test")(this, server.Certificate, null, SslPolicyErrors.None).Should().Be(genuine);

        _world.Log.Drain().Select(logged => logged.Id).Should().EndWith([genuine ? 1130 : 1131, 1135]);
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Kestrels_callback_has_the_same_verdict(bool genuine)
    {
        using var client = (genuine ? _world.Issuing : _world.Foreign).IssueClient("client.test");
        using var chain = CallbackWorld.ChainOf(client);

        _world.Callbacks(_world.OnClients).ForKestrel()(client.Certificate, chain, SslPolicyErrors.RemoteCertificateChainErrors).Should().Be(genuine);

        (_world.Judged!.Rejection?.Reason).Should().Be(genuine ? null : RejectionReason.UnknownAuthority);
    }

    /// <summary>As on the second connection of a client to a server that resumes sessions.</summary>
    [Test]
    public void A_client_that_comes_without_its_intermediate_gets_a_hint_about_resumption()
    {
        var judge = _world.Callbacks(_world.OnClients).ForKestrel();
        using var stranger = _world.Foreign.IssueClient("client.test");
        using var chain = CallbackWorld.ChainOf(_world.Client);

        judge(_world.Client.Certificate, new X509Chain(), SslPolicyErrors.None).Should().BeFalse();
        _world.Judged!.Rejection!.Hint.Should().Contain("AllowTlsResume");
        judge(_world.Client.Certificate, chain, SslPolicyErrors.None).Should().BeTrue();
        judge(stranger.Certificate, chain, SslPolicyErrors.None).Should().BeFalse();
        _world.Judged.Rejection!.Hint.Should().NotContain("AllowTlsResume");
    }

    [Test]
    public async Task A_rejection_is_logged_with_its_reason_as_a_field()
    {
        using var impostor = _world.Foreign.IssueServer("server.test");

        await _world.DialAsync(_world.Callbacks(_world.OnServers).ForServer(), impostor);

        var rejected = await _world.Log.NextAsync(1131);
        rejected.Values.Should().Contain("Callback", "orders database").And.Contain("Role", "client").And.Contain("Peer", "server.test")
            .And.Contain("Reason", "unknown_authority");
    }

    /// <summary>What would be silently left out is refused when the callbacks are made.</summary>
    [Test]
    public void Demands_that_a_callback_cannot_meet_are_refused()
    {
        using var world = new World();
        var client = world.ClientOptions;
        static Action Making(CertificateStageOptions options) => () => _ = new ValidationCallbacks(new CertificateStage(options));

        Making(client).Should().NotThrow();
        Making(client with { AsyncValidators = [new Waiting()] }).Should().Throw<ArgumentException>().WithMessage("*AsyncValidators*");
        Making(client with { Trust = KnownPeers.TrustOnFirstUse(new KnownPeersInMemory(4)), Authorization = Authorize.AnyTrustedPeer })
            .Should().Throw<ArgumentException>().WithMessage("*KnownPeers*");
        Making(world.ServerOptions).Should().NotThrow();
        Making(world.ServerOptions with { Credentials = Require.CertificateAndUser(SaslServer.Scram(new MemoryCredentialStore())) })
            .Should().Throw<ArgumentException>().WithMessage("*log in*");
        Making(client with { Audit = new RecordingSink().Policy }).Should().Throw<ArgumentException>().WithMessage("*Audit*");
        Making(world.ServerOptions with { Audit = new RecordingSink().Policy }).Should().Throw<ArgumentException>().WithMessage("*Audit*");
        Making(world.ServerOptions with { SessionLimits = new SessionLimits { MaxPerDevice = 1 } })
            .Should().Throw<ArgumentException>().WithMessage("*SessionLimits*");
        Making(client with { RequirePlatform = PlatformRequirements.Default })
            .Should().Throw<ArgumentException>().WithMessage("*RequirePlatform*");
    }

    private sealed class Objection : ICertificateValidator
    {
        public Rejection? Examine(CertificateContext context) => new(RejectionReason.ValidatorRefused, "another day", "today");
    }

    private sealed class Waiting : IAsyncPeerValidator
    {
        public ValueTask<Rejection?> ExamineAsync(AuthenticatedPeer peer, CancellationToken cancellationToken) => new((Rejection?)null);
    }
}

internal sealed class BrokenClock : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => throw new InvalidOperationException("clock");
}
