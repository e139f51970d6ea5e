using Microsoft.Extensions.Time.Testing;
using MutualAuth.Certificates;
using MutualAuth.Evidence;
using MutualAuth.Paths;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Certificates;

/// <summary>Extensions that this library does not read: found by their type, and refused when they are critical and nobody handles them.</summary>
public sealed class PresentedExtensionTests
{
    private const string Asset = "1.3.6.1.4.1.99999.3";
    private const string Other = "1.3.6.1.4.1.99999.4";

    private static readonly byte[] s_value = [0x0c, 2, 0x61, 0x62];
    private static readonly ValidationProfile s_handling = ValidationProfile.MutualTls with { HandledCriticalExtensions = [Asset] };

    private readonly TestAuthority _authority = new("Extensions", timeProvider: new FakeTimeProvider(TestPeer.Now));

    [OneTimeTearDown]
    public void Dispose_of_the_authority() => _authority.Dispose();

    [TestCase(true)]
    [TestCase(false)]
    public void An_extension_is_found_by_its_type_with_its_octets(bool isCritical)
    {
        var certificate = Issue(new CertificateExtension(Other, false, new byte[] { 5, 0 }), new CertificateExtension(Asset, isCritical, s_value));

        var found = certificate.FindExtension(Asset)!;

        (found.Oid, found.IsCritical).Should().Be((Asset, isCritical));
        found.Value.ToArray().Should().Equal(s_value);
        found.ToString().Should().Be(isCritical ? $"{Asset}, critical, 4 octets" : $"{Asset}, 4 octets");
        certificate.FindExtension("1.3.6.1.4.1.99999.5").Should().BeNull();
    }

    [Test]
    public void An_extension_that_the_library_reads_is_found_too()
    {
        var basic = Issue().FindExtension("2.5.29.19")!;

        basic.Value.ToArray().Should().Equal(0x30, 0);
    }

    [Test]
    public void Octets_that_are_no_encoding_are_handed_out_as_they_are() =>
        Issue(new CertificateExtension(Asset, false, new byte[] { 0xff })).FindExtension(Asset)!.Value.ToArray().Should().Equal(0xff);

    [Test]
    public void A_certificate_without_extensions_has_none()
    {
        using var old = _authority.Issue(spec => spec with
        {
            Version = 1,
            DnsNames = [],
            BasicConstraints = null,
            KeyUsage = null,
            ExtendedKeyUsages = [],
            SubjectKeyIdentifier = KeyIdentifier.Absent,
            AuthorityKeyIdentifier = KeyIdentifier.Absent,
            Subject = "CN=old",
        });

        Certificate.Parse(old.RawCertificate).FindExtension(Asset).Should().BeNull();
    }

    [TestCase("asset")]
    [TestCase("")]
    [TestCase("1.3.6.1.4.1.99999.x")]
    public void What_is_no_type_is_refused(string oid) => FluentActions.Invoking(() => Issue().FindExtension(oid)).Should().Throw<FormatException>();

    [Test]
    public void The_same_extension_twice_is_no_certificate()
    {
        using var twice = _authority.Issue(
            spec => spec with { Extensions = [new(Asset, false, s_value), new(Asset, false, s_value)] });

        Certificate.TryParse(twice.RawCertificate, out _, out var problem).Should().BeFalse();
        problem!.Reason.Should().Be(RejectionReason.CertificateMalformed);
    }

    [Test]
    public void A_critical_extension_is_rejected_unless_the_application_says_that_it_handles_it()
    {
        Judge(s_handling, new CertificateExtension(Asset, true, s_value)).Should().BeNull();
        Judge(ValidationProfile.MutualTls, new CertificateExtension(Asset, true, s_value)).Should().Be(RejectionReason.UnknownCriticalExtension);
        Judge(ValidationProfile.MutualTls, new CertificateExtension(Asset, false, s_value)).Should().BeNull();
        Judge(s_handling, new CertificateExtension(Other, true, s_value)).Should().Be(RejectionReason.UnknownCriticalExtension);
    }

    [TestCase(Asset, Other)]
    [TestCase(Other, Asset)]
    public void Every_critical_extension_must_be_handled_whichever_comes_first(string first, string second) =>
        Judge(s_handling, new CertificateExtension(first, true, s_value), new CertificateExtension(second, true, s_value))
            .Should().Be(RejectionReason.UnknownCriticalExtension);

    [Test]
    public void In_an_authority_it_stays_unknown()
    {
        using var intermediate = _authority.IssueIntermediate("Marked", spec => spec with { Extensions = [new(Asset, true, s_value)] });
        using var leaf = intermediate.IssueClient("client.test");

        Judge(s_handling, leaf.RawCertificate, intermediate.AsCertificate.RawCertificate).Should().Be(RejectionReason.UnknownCriticalExtension);
    }

    [TestCase("2.5.29.30")]
    [TestCase("2.5.29.19")]
    [TestCase("1.3.6.1.5.5.7.1.1")]
    [TestCase("asset")]
    public void What_the_library_reads_itself_or_is_no_type_cannot_be_handled(string oid) =>
        FluentActions.Invoking(() => ValidationProfile.MutualTls with { HandledCriticalExtensions = [oid] }).Should().Throw<ArgumentException>();

    private Certificate Issue(params CertificateExtension[] extensions)
    {
        using var issued = _authority.Issue(spec => spec with { Extensions = extensions, BasicConstraints = new(false) });
        return Certificate.Parse(issued.RawCertificate);
    }

    private RejectionReason? Judge(ValidationProfile profile, params CertificateExtension[] extensions)
    {
        using var issued = _authority.Issue(
            spec => spec with { Subject = "CN=peer", Extensions = extensions, ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth] });
        return Judge(profile, issued.RawCertificate);
    }

    private RejectionReason? Judge(ValidationProfile profile, params ReadOnlyMemory<byte>[] certificates)
    {
        var stage = new CertificateStage(
            new CertificateStageOptions { Trust = _authority.ToTrustAnchors(), Authorization = Authorize.AnyTrustedPeer, Profile = profile });
        return stage.Judge(new PeerEvidence(PeerRole.Client, [.. certificates]), TestPeer.Now) is CertificateVerdict.Rejected rejected
            ? rejected.Rejection.Reason
            : null;
    }
}
