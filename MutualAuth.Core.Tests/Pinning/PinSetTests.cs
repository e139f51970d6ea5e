using MutualAuth.Authorization;
using MutualAuth.Certificates;
using MutualAuth.Names;
using MutualAuth.Pinning;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Pinning;

public sealed class PinSetTests
{
    private static readonly Certificate s_leaf = Issue("CN=leaf");
    private static readonly Certificate s_intermediate = Issue("CN=intermediate");
    private static readonly Certificate s_anchor = Issue("CN=anchor");
    private static readonly Certificate s_stranger = Issue("CN=stranger");
    private static readonly SpkiPin s_backup = PinOf(1_000_000);

    private static IEnumerable<TestCaseData> Paths()
    {
        yield return new TestCaseData(s_leaf, null).SetArgDisplayNames("leaf");
        yield return new TestCaseData(s_intermediate, null).SetArgDisplayNames("intermediate");
        yield return new TestCaseData(s_anchor, null).SetArgDisplayNames("anchor");
        yield return new TestCaseData(s_stranger, RejectionReason.PinMismatch).SetArgDisplayNames("stranger");
    }

    [TestCaseSource(nameof(Paths))]
    public void One_pinned_key_anywhere_on_the_path_is_enough(Certificate pinned, RejectionReason? expected) =>
        (PinSet.Of(PinOf(pinned), s_backup).Examine(Context())?.Reason).Should().Be(expected);

    [Test]
    public void A_pinned_certificate_that_was_only_presented_counts_for_nothing()
    {
        var evidence = new Evidence.PeerEvidence(MutualAuth.PeerRole.Server, [s_leaf.RawData, s_stranger.RawData]);
        var pins = PinSet.Of(PinOf(s_stranger), s_backup);

        pins.Examine(new CertificateContext(evidence, [s_leaf, s_anchor], TestPeer.Now))!.Reason.Should().Be(RejectionReason.PinMismatch);
        pins.Examine(new CertificateContext(evidence, [s_leaf, s_stranger], TestPeer.Now)).Should().BeNull();
    }

    [Test]
    public void A_mismatch_prints_both_sides()
    {
        var rejection = PinSet.Of(PinOf(s_stranger), s_backup).Examine(Context())!;

        rejection.Expected.Should().ContainAll(PinOf(s_stranger).ToString(), s_backup.ToString());
        rejection.Presented.Should().ContainAll(
            PinOf(s_leaf).ToString(), PinOf(s_intermediate).ToString(), PinOf(s_anchor).ToString(), "leaf", "intermediate", "anchor");
    }

    [TestCase(-1, RejectionReason.PinsExpired)]
    [TestCase(0, RejectionReason.PinsExpired)]
    [TestCase(1, null)]
    public void Expired_pins_match_nothing(int secondsLeft, RejectionReason? expected) =>
        (PinSet.Of(PinOf(s_leaf), s_backup).ExpiringAt(TestPeer.Now.AddSeconds(secondsLeft)).Examine(Context())?.Reason).Should().Be(expected);

    [Test]
    public void A_trial_objects_alike_and_says_that_it_is_one()
    {
        var pins = PinSet.Of(PinOf(s_stranger), s_backup);
        var trial = pins.ReportOnly().ExpiringAt(TestPeer.Now.AddDays(1));

        pins.IsReportOnly.Should().BeFalse();
        trial.IsReportOnly.Should().BeTrue();
        trial.ExpiresAt.Should().Be(TestPeer.Now.AddDays(1));
        trial.Examine(Context())!.Reason.Should().Be(RejectionReason.PinMismatch);
    }

    [Test]
    public void A_certificate_of_the_framework_and_ours_have_the_same_pin()
    {
        using var certificate = s_leaf.ToX509Certificate2();
        SpkiPin.Of(certificate).Should().Be(PinOf(s_leaf));
    }

    private static CertificateContext Context() => TestPeer.Context("server.test", s_leaf, s_intermediate, s_anchor);

    private static SpkiPin PinOf(Certificate certificate) => SpkiPin.OfSubjectPublicKeyInfo(certificate.SubjectPublicKeyInfo.Span);

    private static SpkiPin PinOf(int number) => SpkiPin.OfSubjectPublicKeyInfo(BitConverter.GetBytes(number));

    private static Certificate Issue(string subject) => new TestPeer { Subject = subject, Key = TestKey.Generate() }.Certificate();
}
