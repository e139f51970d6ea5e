using System.Collections.Immutable;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Testing;
using MutualAuth.Certificates;
using MutualAuth.Evidence;
using MutualAuth.Names;
using MutualAuth.Paths;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Trust;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Trust;

public sealed class KnownPeersTests
{
    private static readonly DateTimeOffset s_now = DateTimeOffset.UtcNow;

    private KnownPeersInMemory _store = null!;

    [SetUp]
    public void SetUp() => _store = new KnownPeersInMemory();

    [Test]
    public void A_stranger_is_accepted_at_the_first_meeting_and_its_own_certificate_is_the_whole_path([Values] PeerRole role)
    {
        using var alice = SelfSigned.Issue("alice");

        var peer = Accepted(Judge(KnownPeers.TrustOnFirstUse(_store), alice, role));

        peer.Name.Should().Be("alice");
        peer.Path.Should().ContainSingle().Which.Should().Be(SelfSigned.Read(alice));
        _store.Peers.Should().BeEmpty("judging keeps nothing");
    }

    [Test]
    public void Where_only_known_peers_may_come_a_stranger_may_not()
    {
        using var alice = SelfSigned.Issue("alice");

        var rejection = Rejected(Judge(KnownPeers.Only(_store), alice));

        rejection.Reason.Should().Be(RejectionReason.UnknownAuthority);
        rejection.Hint.Should().Contain(SelfSigned.Known("alice", alice).Key.ToString(), "the line to add is given");
    }

    [Test]
    public async Task A_known_peer_comes_with_its_key_and_nobody_comes_in_its_name_with_another([Values] bool meetsStrangers)
    {
        using var alice = SelfSigned.Issue("alice");
        using var impostor = SelfSigned.Issue("alice");
        await _store.AddAsync(SelfSigned.Known("alice", alice));
        var trust = meetsStrangers ? KnownPeers.TrustOnFirstUse(_store) : KnownPeers.Only(_store);

        Judge(trust, alice).Should().BeOfType<CertificateVerdict.Accepted>();
        var rejection = Rejected(Judge(trust, impostor));

        rejection.Reason.Should().Be(RejectionReason.PeerKeyChanged);
        rejection.Expected.Should().Contain(SelfSigned.Known("alice", alice).Fingerprint.ToString());
        rejection.Presented.Should().Contain(SelfSigned.Known("alice", impostor).Fingerprint.ToString());
    }

    [Test]
    public async Task A_known_key_in_a_renewed_certificate_is_the_same_peer()
    {
        using var alice = SelfSigned.Issue("alice");
        using var renewed = SelfSigned.Issue("alice", spec => spec with { Key = alice.Key, SigningKey = alice.Key, SerialNumber = 77 });
        await _store.AddAsync(SelfSigned.Known("alice", alice));

        Judge(KnownPeers.Only(_store), renewed).Should().BeOfType<CertificateVerdict.Accepted>();
    }

    [Test]
    public async Task A_peer_that_was_admitted_and_is_forgotten_is_no_stranger_to_meet_anew()
    {
        using var alice = SelfSigned.Issue("alice");
        var stage = Stage(KnownPeers.TrustOnFirstUse(_store));
        var evidence = Evidence(alice, PeerRole.Client);
        await _store.AddAsync(SelfSigned.Known("alice", alice));
        stage.Rejudge(evidence, [], s_now, s_now, out _).Should().BeNull();

        (await _store.ForgetAsync("alice")).Should().BeTrue();

        stage.Rejudge(evidence, [], s_now, s_now, out _)!.Reason.Should().Be(RejectionReason.UnknownAuthority);
        stage.Judge(evidence, s_now).Should().BeOfType<CertificateVerdict.Accepted>("at a new handshake it is met for the first time");
    }

    internal static readonly object[][] Broken =
    [
        Way("expired", RejectionReason.CertificateExpired, spec => spec with { NotAfter = s_now.AddHours(-1) }),
        Way("not yet valid", RejectionReason.CertificateNotYetValid, spec => spec with { NotBefore = s_now.AddHours(1) }),
        Way("for servers only", RejectionReason.WrongUsage, spec => spec with { ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth] }),
        Way("for nothing in particular", RejectionReason.WrongUsage, spec => spec with { ExtendedKeyUsages = [] }),
        Way("key not for signatures", RejectionReason.WrongUsage, spec => spec with { KeyUsage = X509KeyUsageFlags.KeyEncipherment }),
        Way(
            "an authority",
            RejectionReason.CertificateAuthorityAsLeaf,
            spec => spec with { BasicConstraints = new BasicConstraints(IsAuthority: true) }),
        Way(
            "may sign certificates",
            RejectionReason.ProfileViolated,
            spec => spec with { KeyUsage = X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign }),
        Way(
            "weak key",
            RejectionReason.WeakKey,
            spec => spec with { Key = TestKey.Shared(KeyAlgorithm.Rsa1024), SigningKey = TestKey.Shared(KeyAlgorithm.Rsa1024) }),
        Way("signed by another key", RejectionReason.SignatureInvalid, spec => spec with { SigningKey = TestKey.Shared(KeyAlgorithm.EcdsaP256, 7) }),
        Way("signature damaged", RejectionReason.SignatureInvalid, spec => spec with { CorruptSignature = true }),
        Way("issued by somebody", RejectionReason.UnknownAuthority, spec => spec with { Issuer = "CN=somebody" }),
        Way(
            "unknown critical extension",
            RejectionReason.UnknownCriticalExtension,
            spec => spec with { Extensions = [new CertificateExtension("1.2.3.4.5", true, new byte[] { 5, 0 })] }),
        Way("no alternative name", RejectionReason.ProfileViolated, spec => spec with { DnsNames = [] }),
        Way("two names", RejectionReason.ProfileViolated, spec => spec with { DnsNames = ["alice", "bob"] }),
        Way("another form of name beside it", RejectionReason.ProfileViolated, spec => spec with { EmailAddresses = ["bob@example.test"] }),
        Way(
            "a wildcard",
            RejectionReason.ProfileViolated,
            spec => spec with { DnsNames = ["*.alice"], Subject = "CN=*.alice", Issuer = "CN=*.alice" }),
        Way("upper case", RejectionReason.ProfileViolated, spec => spec with { DnsNames = ["Alice"], Subject = "CN=Alice", Issuer = "CN=Alice" }),
        Way(
            "a trailing dot",
            RejectionReason.ProfileViolated,
            spec => spec with { DnsNames = ["alice."], Subject = "CN=alice.", Issuer = "CN=alice." }),
        Way("another name in the subject", RejectionReason.ProfileViolated, spec => spec with { Subject = "CN=bob", Issuer = "CN=bob" }),
        Way(
            "more in the subject",
            RejectionReason.ProfileViolated,
            spec => spec with { Subject = "CN=alice,O=Admins", Issuer = "CN=alice,O=Admins" }),
        Way(
            "two values in one part of the subject",
            RejectionReason.ProfileViolated,
            spec => spec with { Subject = "CN=alice+O=Admins", Issuer = "CN=alice+O=Admins" }),
        Way(
            "a URI that is no SPIFFE ID",
            RejectionReason.ProfileViolated,
            spec => spec with { DnsNames = [], Uris = ["https://alice"], Subject = "CN=https://alice", Issuer = "CN=https://alice" }),
    ];

    [TestCaseSource(nameof(Broken))]
    public async Task A_certificate_that_is_not_right_is_rejected_known_key_or_not(
        string _, RejectionReason reason, Func<CertificateSpec, CertificateSpec> change)
    {
        using var broken = SelfSigned.Issue("alice", change);
        await _store.AddAsync(SelfSigned.Known("alice", broken));

        Rejected(Judge(KnownPeers.Only(_store), broken)).Reason.Should().Be(reason);
        Rejected(Judge(KnownPeers.TrustOnFirstUse(new KnownPeersInMemory()), broken)).Reason.Should().Be(reason);
    }

    [Test]
    public void A_spiffe_id_is_a_name_as_good_as_a_dns_name()
    {
        const string id = "spiffe://example.org/alice";
        using var alice = SelfSigned.Issue(id, spec => spec with { DnsNames = [], Uris = [id] });

        var peer = Accepted(Judge(KnownPeers.TrustOnFirstUse(_store), alice));

        peer.Name.Should().Be(id);
        peer.SpiffeId.Should().Be(SpiffeId.Parse(id));
    }

    [Test]
    public void What_says_that_certificates_are_revoked_is_asked()
    {
        using var alice = SelfSigned.Issue("alice");
        ITrustSource trust = KnownPeers.TrustOnFirstUse(_store);
        var search = new PathSearch(new PathValidator(), SelfSigned.Read(alice), [], PeerRole.Client, s_now);

        trust.FindPath(search).Rejection.Should().BeNull();
        trust.FindPath(search with { Revocation = new SaysRevoked() }).Rejection!.Reason.Should().Be(RejectionReason.CertificateRevoked);
    }

    [Test]
    public void The_authorization_rule_still_decides()
    {
        using var alice = SelfSigned.Issue("alice");
        var trust = KnownPeers.TrustOnFirstUse(_store);

        Stage(trust, Authorize.Dns("alice")).Judge(Evidence(alice, PeerRole.Client), s_now).Should().BeOfType<CertificateVerdict.Accepted>();
        Rejected(Stage(trust, Authorize.Dns("bob")).Judge(Evidence(alice, PeerRole.Client), s_now)).Reason.Should().Be(RejectionReason.NotAuthorized);
    }

    [Test]
    public async Task Of_two_strangers_with_one_name_the_second_to_be_admitted_is_rejected()
    {
        using var first = SelfSigned.Issue("alice");
        using var second = SelfSigned.Issue("alice");
        var trust = KnownPeers.TrustOnFirstUse(_store);
        Judge(trust, first).Should().BeOfType<CertificateVerdict.Accepted>();
        Judge(trust, second).Should().BeOfType<CertificateVerdict.Accepted>("nobody is known yet");

        (await AdmitAsync(trust, first)).Should().BeNull();
        (await AdmitAsync(trust, second))!.Reason.Should().Be(RejectionReason.PeerKeyChanged);
        (await AdmitAsync(trust, first)).Should().BeNull("it is known by now");
        _store.Peers["alice"].Key.Should().Be(SelfSigned.Known("alice", first).Key);
    }

    [Test]
    public async Task Nobody_is_admitted_whose_key_cannot_be_kept()
    {
        using var alice = SelfSigned.Issue("alice");
        using var bob = SelfSigned.Issue("bob");
        var trust = KnownPeers.TrustOnFirstUse(new KnownPeersInMemory(maxPeers: 1));

        (await AdmitAsync(trust, alice)).Should().BeNull();
        (await AdmitAsync(trust, bob))!.Reason.Should().Be(RejectionReason.PeerNotRemembered);
        (await AdmitAsync(trust, alice)).Should().BeNull();
    }

    [Test]
    public async Task Only_known_peers_are_admitted_where_only_they_may_come()
    {
        using var alice = SelfSigned.Issue("alice");

        (await AdmitAsync(KnownPeers.Only(_store), alice))!.Reason.Should().Be(RejectionReason.UnknownAuthority);
        _store.Peers.Should().BeEmpty();
    }

    [Test]
    public async Task A_changed_key_is_logged_with_a_warning_of_its_own()
    {
        using var alice = SelfSigned.Issue("alice");
        using var impostor = SelfSigned.Issue("alice");
        await _store.AddAsync(SelfSigned.Known("alice", alice));
        var log = new FakeLogCollector();
        var stage = Stage(KnownPeers.TrustOnFirstUse(_store), log: log);

        stage.Judge(Evidence(alice, PeerRole.Client), s_now);
        log.GetSnapshot().Should().BeEmpty();
        stage.Judge(Evidence(impostor, PeerRole.Client), s_now);

        log.GetSnapshot().Should().ContainSingle().Which.Id.Id.Should().Be(1120);
    }

    private static object[] Way(string name, RejectionReason reason, Func<CertificateSpec, CertificateSpec> change) => [name, reason, change];

    private static CertificateStage Stage(
        ITrustSource trust, AuthorizationRule? authorization = null, FakeLogCollector? log = null) => new(new CertificateStageOptions
        {
            Trust = trust,
            Authorization = authorization ?? Authorize.AnyTrustedPeer,
            LoggerFactory = log is null ? Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance : new LoggerFactoryOf(log),
        });

    private static CertificateVerdict Judge(ITrustSource trust, TestCertificate certificate, PeerRole role = PeerRole.Client) =>
        Stage(trust).Judge(Evidence(certificate, role), s_now);

    private static PeerEvidence Evidence(TestCertificate certificate, PeerRole role) => new(role, ImmutableArray.Create(certificate.RawCertificate));

    private static ValueTask<Rejection?> AdmitAsync(ITrustSource trust, TestCertificate certificate) =>
        trust.AdmitAsync(SelfSigned.Read(certificate), s_now, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, CancellationToken.None);

    private static AuthenticatedPeer Accepted(CertificateVerdict verdict) =>
        verdict is CertificateVerdict.Accepted accepted
            ? accepted.Peer
            : throw new AssertionException($"Rejected: {((CertificateVerdict.Rejected)verdict).Rejection}");

    private static Rejection Rejected(CertificateVerdict verdict) =>
        verdict is CertificateVerdict.Rejected rejected ? rejected.Rejection : throw new AssertionException("It was accepted.");

    private sealed class SaysRevoked : IRevocationSource
    {
        public Rejection? Check(IReadOnlyList<Certificate> path, int index, CandidatePool? pool, DateTimeOffset at) =>
            new(RejectionReason.CertificateRevoked, "none", "revoked");
    }

    private sealed class LoggerFactoryOf(FakeLogCollector log) : Microsoft.Extensions.Logging.ILoggerFactory
    {
        public Microsoft.Extensions.Logging.ILogger CreateLogger(string categoryName) => new FakeLogger(log, categoryName);

        public void AddProvider(Microsoft.Extensions.Logging.ILoggerProvider provider) => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }
}
