using System.Security.Cryptography;
using MutualAuth.Authorization;
using MutualAuth.Evidence;
using MutualAuth.Names;
using MutualAuth.Pinning;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Trust;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Validation;

/// <summary>What the stage looks at before it searches for a path, what it says when none is found, and what it tells the operator.</summary>
public sealed class CertificateStageTests
{
    private const int RevocationNotChecked = 1110;
    private const int RevocationRelaxed = 1111;
    private const int PinsReportOnly = 1102;
    private const int ValidatorFaulted = 1101;
    private const int PeerKeyChanged = 1120;

    private static readonly byte[] s_garbage = [0x30, 0x00];

    private readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();
    private TestAuthority _root = null!;
    private TestAuthority _intermediate = null!;
    private TestCertificate _peer = null!;

    private CertificateStageOptions Options => new() { Trust = _root.ToTrustAnchors(), Authorization = Authorize.AnyTrustedPeer };

    [OneTimeSetUp]
    public void Make_the_authorities()
    {
        _root = new TestAuthority("Root");
        _intermediate = _root.IssueIntermediate("Intermediate");
        _peer = _intermediate.IssueClient("client.test");
    }

    [OneTimeTearDown]
    public void Dispose_of_the_authorities()
    {
        _peer.Dispose();
        _intermediate.Dispose();
        _root.Dispose();
    }

    [TestCase(PeerRole.Client, "client", true)]
    [TestCase(PeerRole.Server, "server", false)]
    public void A_peer_without_a_certificate_is_told_what_it_lacks(PeerRole role, string what, bool isHinted)
    {
        var rejected = Rejected(new CertificateStage(Options).Judge(new PeerEvidence(role, []), _now));

        rejected.Rejection.Reason.Should().Be(RejectionReason.NoCertificate);
        rejected.Rejection.Expected.Should().Contain(what);
        (rejected.Rejection.Hint is not null).Should().Be(isHinted);
        rejected.ClaimedName.Should().BeNull();
    }

    [TestCase(3, null)]
    [TestCase(2, RejectionReason.TooManyCertificates)]
    public void As_many_certificates_are_looked_at_as_the_limit_says(int limit, RejectionReason? expected) => Reason(
        Options with { CertificateLimits = new() { MaxCertificates = limit } }, _peer.RawCertificate, _intermediate.AsCertificate.RawCertificate,
        _root.AsCertificate.RawCertificate).Should().Be(expected);

    [Test]
    public void The_largest_certificate_is_as_large_as_the_limit_says([Values] bool isLeaf)
    {
        using var large = _root.Issue(spec => spec with { DnsNames = [.. Enumerable.Range(0, 100).Select(number => $"host-{number}.test")] });
        using var small = _root.IssueClient("client.test");
        ReadOnlyMemory<byte>[] sent =
            isLeaf ? [large.RawCertificate, small.RawCertificate] : [small.RawCertificate, large.RawCertificate, small.RawCertificate];
        var size = large.RawCertificate.Length;

        Reason(Options with { CertificateLimits = new() { MaxCertificateBytes = size } }, sent).Should().BeNull();
        Reason(Options with { CertificateLimits = new() { MaxCertificateBytes = size - 1 } }, sent).Should().Be(RejectionReason.CertificateTooLarge);
        new CertificateLimits().Should().Be(new CertificateLimits { MaxCertificates = 16, MaxCertificateBytes = 32_768 });
    }

    [Test]
    public void A_certificate_that_cannot_be_read_is_named_by_its_place_and_its_digest()
    {
        var digest = Convert.ToHexString(SHA256.HashData(s_garbage));
        var leaf = Rejected(Judge(Options, s_garbage, _peer.RawCertificate));
        var companion = Rejected(Judge(Options, _peer.RawCertificate, s_garbage, new byte[] { 0x30, 0x01, 0x00 }));

        leaf.Rejection.Reason.Should().Be(RejectionReason.CertificateMalformed);
        leaf.Rejection.Element.Should().Be($"certificate 1 of 2, SHA-256 {digest}");
        leaf.ClaimedName.Should().BeNull();
        companion.Rejection.Reason.Should().Be(RejectionReason.CertificateMalformed, "it is the likelier cause than an authority that is not known");
        companion.Rejection.Element.Should().Be($"certificate 2 of 3, SHA-256 {digest}");
        companion.ClaimedName.Should().Be("client.test");
    }

    [Test]
    public void A_companion_that_cannot_be_read_hides_no_other_reason_and_harms_nobody()
    {
        using var expired = _intermediate.Issue(spec => spec with { NotAfter = spec.NotBefore.AddHours(1) });

        Reason(Options, expired.RawCertificate, s_garbage, _intermediate.AsCertificate.RawCertificate).Should().Be(
            RejectionReason.CertificateExpired);
        Reason(Options, _peer.RawCertificate, s_garbage, _intermediate.AsCertificate.RawCertificate).Should().BeNull();
        Reason(Options, _peer.RawCertificate).Should().Be(RejectionReason.UnknownAuthority);
    }

    [Test]
    public void A_second_judgement_of_the_same_peers_comes_out_like_the_first()
    {
        var stage = new CertificateStage(Options);
        var evidence = Evidence(_peer.RawCertificate, _intermediate.AsCertificate.RawCertificate);
        var first = (CertificateVerdict.Accepted)stage.Judge(evidence, _now);
        var again = (CertificateVerdict.Accepted)stage.Judge(evidence, _now);
        stage.Rejudge(evidence, first.Peer.Path, _now, _now, out var standsOn).Should().BeNull();

        again.Peer.Path.Should().Equal(first.Peer.Path);
        standsOn.Should().Equal(first.Peer.Path);
        stage.Rejudge(Evidence(s_garbage), first.Peer.Path, _now, _now, out _)!.Reason.Should().Be(RejectionReason.CertificateMalformed);
    }

    [Test]
    public void A_list_for_the_operators_own_use_is_asked_with_and_without_revocation_lists()
    {
        var denied = DenyList.Of(DenyEntry.Serial(_peer.Read().SerialNumber));
        var lists = RevocationLists.FromDer(_root.IssueCrl().Raw, _intermediate.IssueCrl().Raw);
        ReadOnlyMemory<byte>[] sent = [_peer.RawCertificate, _intermediate.AsCertificate.RawCertificate];

        Reason(Options with { DenyList = denied }, sent).Should().Be(RejectionReason.DenyListed);
        Reason(Options with { DenyList = denied, Revocation = new() { Lists = lists } }, sent).Should().Be(RejectionReason.DenyListed);
        Reason(Options with { Revocation = new() { Lists = lists } }, sent).Should().BeNull();
        Reason(Options with { Revocation = new() { Lists = RevocationLists.Empty } }, sent).Should().Be(RejectionReason.RevocationStatusUnknown);
    }

    [Test]
    public void Lists_are_as_old_as_now_whenever_the_dates_of_certificates_are_looked_at()
    {
        var lists = RevocationLists.FromDer(_root.IssueCrl().Raw, _intermediate.IssueCrl().Raw);
        var stage = new CertificateStage(Options with { Revocation = new() { Lists = lists } });
        var evidence = Evidence(_peer.RawCertificate, _intermediate.AsCertificate.RawCertificate);
        var path = ((CertificateVerdict.Accepted)stage.Judge(evidence, _now)).Peer.Path;

        stage.Rejudge(evidence, path, _now, _now.AddDays(8), out _).Should().BeNull();
        stage.Rejudge(evidence, path, _now.AddDays(8), _now, out _)!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
        stage.Rejudge(evidence, path, _now, _now.AddDays(31), out _)!.Reason.Should().Be(RejectionReason.CertificateExpired);
    }

    [Test]
    public void Every_validator_of_the_application_can_say_no_and_one_that_throws_has_said_it()
    {
        var log = new EventLog();
        var refused = new Rejection(RejectionReason.ValidatorRefused, "more", "less");
        var yes = new Saying(() => null);
        ReadOnlyMemory<byte>[] sent = [_peer.RawCertificate, _intermediate.AsCertificate.RawCertificate];

        Reason(Options with { Validators = [yes, yes] }, sent).Should().BeNull();
        Reason(Options with { Validators = [yes, new Saying(() => refused)] }, sent).Should().Be(RejectionReason.ValidatorRefused);
        Reason(Options with { Validators = [new Saying(() => throw new InvalidOperationException("story")), yes], LoggerFactory = log }, sent)
            .Should().Be(RejectionReason.ValidatorFaulted);
        log.Drain().Select(told => told.Id).Should().Contain(ValidatorFaulted);
    }

    [Test]
    public void A_pin_that_is_on_trial_is_told_of_once_for_each_connection()
    {
        var log = new EventLog();
        var pins = PinSet.Of(SpkiPin.OfSubjectPublicKeyInfo([1]), SpkiPin.OfSubjectPublicKeyInfo([2]));
        var evidence = Evidence(_peer.RawCertificate, _intermediate.AsCertificate.RawCertificate);
        var stage = new CertificateStage(Options with { Pins = pins.ReportOnly(), LoggerFactory = log });
        var strict = new CertificateStage(Options with { Pins = pins });

        var accepted = (CertificateVerdict.Accepted)stage.Judge(evidence, _now);
        log.Drain().Count(told => told.Id == PinsReportOnly).Should().Be(1);
        stage.Rejudge(evidence, accepted.Peer.Path, _now, _now, out _).Should().BeNull();
        log.Drain().Should().NotContain(told => told.Id == PinsReportOnly);
        Rejected(strict.Judge(evidence, _now)).Rejection.Reason.Should().Be(RejectionReason.PinMismatch);
    }

    [Test]
    public async Task Another_key_of_a_known_peer_is_told_of_and_other_rejections_are_not()
    {
        var log = new EventLog();
        var store = new KnownPeersInMemory();
        using var alice = SelfSigned.Issue("alice");
        using var impostor = SelfSigned.Issue("alice");
        using var bob = SelfSigned.Issue("bob");
        await store.AddAsync(SelfSigned.Known("alice", alice));
        var stage = new CertificateStage(Options with { Trust = KnownPeers.Only(store), LoggerFactory = log });

        Rejected(stage.Judge(Evidence(bob.RawCertificate), _now)).Rejection.Reason.Should().Be(RejectionReason.UnknownAuthority);
        log.Drain().Should().NotContain(told => told.Id == PeerKeyChanged);
        Rejected(stage.Judge(Evidence(impostor.RawCertificate), _now)).Rejection.Reason.Should().Be(RejectionReason.PeerKeyChanged);
        log.Drain().Should().Contain(told => told.Id == PeerKeyChanged);
    }

    [Test]
    public void What_is_not_checked_is_said_at_the_start()
    {
        var lists = RevocationLists.FromDer(_root.IssueCrl().Raw);
        var strict = new RevocationPolicy { Lists = lists };

        Told(Options).Should().Equal(RevocationNotChecked);
        Told(Options with { Revocation = strict with { Lists = RevocationLists.DangerouslyUnchecked } }).Should().Equal(RevocationNotChecked);
        Told(Options with { Revocation = strict }).Should().BeEmpty();
        Told(Options with { Revocation = strict with { Unknown = UnknownStatus.DangerouslyAllow } }).Should().Equal(RevocationRelaxed);
        Told(Options with { Trust = KnownPeers.Only(new KnownPeersInMemory()) }).Should().BeEmpty("nobody issues lists about known peers");

        static IEnumerable<int> Told(CertificateStageOptions options)
        {
            var log = new EventLog();
            _ = new CertificateStage(options with { LoggerFactory = log });
            return log.Drain().Select(told => told.Id).Where(id => id is RevocationNotChecked or RevocationRelaxed);
        }
    }

    private static IEnumerable<TestCaseData> Faults()
    {
        yield return Case("no trust", options => options with { Trust = null! });
        yield return Case("no authorization", options => options with { Authorization = null! });
        yield return Case("validators that are not set", options => options with { Validators = default });
        yield return Case("a validator that is null", options => options with { Validators = [null!] });
        yield return Case("no profile", options => options with { Profile = null! });
        yield return Case("no logger factory", options => options with { LoggerFactory = null! });
        yield return Case("no limits", options => options with { CertificateLimits = null! });
        yield return Case("no certificate at all", options => options with { CertificateLimits = new() { MaxCertificates = 0 } });
        yield return Case("certificates below 1,024 octets", options => options with { CertificateLimits = new() { MaxCertificateBytes = 1023 } });
        yield return Case("a fault of the policy", options => options with { Revocation = new() { Lists = null! } });

        static TestCaseData Case(string name, Func<CertificateStageOptions, CertificateStageOptions> change) =>
            new TestCaseData(change).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Faults))]
    public void A_stage_is_not_made_with_options_that_have_a_fault(Func<CertificateStageOptions, CertificateStageOptions> change)
    {
        change(Options).Problems().Should().ContainSingle();
        FluentActions.Invoking(() => new CertificateStage(change(Options))).Should().Throw<ArgumentException>();
        (Options with { CertificateLimits = new() { MaxCertificates = 1, MaxCertificateBytes = 1024 } }).Problems().Should().BeEmpty();
    }

    private CertificateVerdict Judge(CertificateStageOptions options, params ReadOnlyMemory<byte>[] sent) =>
        new CertificateStage(options).Judge(Evidence(sent), _now);

    private RejectionReason? Reason(CertificateStageOptions options, params ReadOnlyMemory<byte>[] sent) =>
        RevocationWorld.RejectionOf(Judge(options, sent))?.Reason;

    private static PeerEvidence Evidence(params ReadOnlyMemory<byte>[] sent) => new(PeerRole.Client, [.. sent]);

    private static CertificateVerdict.Rejected Rejected(CertificateVerdict verdict) =>
        verdict.Should().BeOfType<CertificateVerdict.Rejected>().Subject;

    private sealed class Saying(Func<Rejection?> say) : ICertificateValidator
    {
        public Rejection? Examine(CertificateContext context) => say();
    }
}
