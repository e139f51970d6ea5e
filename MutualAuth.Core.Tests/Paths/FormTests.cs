using System.Numerics;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Paths;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Paths;

/// <summary>What a conforming authority must put into its certificates: required to the letter by one profile, and let pass by the default.</summary>
public sealed class FormTests
{
    private TestAuthority _root = null!;

    [OneTimeSetUp]
    public void Make_the_root() => _root = new TestAuthority("Root");

    [OneTimeTearDown]
    public void Dispose_of_the_root() => _root.Dispose();

    private static IEnumerable<TestCaseData> Leaves()
    {
        yield return Case("a serial number of 20 octets", spec => spec with { SerialNumber = (BigInteger.One << 159) - 1 }, keeps: true);
        yield return Case("a serial number one above", spec => spec with { SerialNumber = BigInteger.One << 159 }, keeps: false);
        yield return Case("the serial number 127", spec => spec with { SerialNumber = 127 }, keeps: true);
        yield return Case("the serial number 128", spec => spec with { SerialNumber = 128 }, keeps: true);
        yield return Case("the serial number -128", spec => spec with { SerialNumber = -128 }, keeps: false);
        yield return Case("no identifier of its own key", spec => spec with { SubjectKeyIdentifier = KeyIdentifier.Absent }, keeps: true);
        yield return Case("no key usage", spec => spec with { KeyUsage = null }, keeps: true);
        yield return Case(
            "basic constraints that are not critical", spec => spec with { BasicConstraints = new(false, Critical: false) }, keeps: true);
        yield return Case("an issuer and a serial number in place of a key identifier", spec => spec with
        {
            AuthorityKeyIdentifier = KeyIdentifier.Absent,
            Extensions = [new("2.5.29.35", false, Convert.FromHexString("3015a110a40e300c310a30080603550403130178820105"))],
        }, keeps: false);
        yield return Case("an identifier of its own key that is critical", spec => spec with
        {
            SubjectKeyIdentifier = KeyIdentifier.Absent,
            Extensions = [new("2.5.29.14", true, new byte[] { 4, 1, 1 })],
        }, keeps: false);
        yield return Case("an identifier of its authority's key that is critical", spec => spec with
        {
            AuthorityKeyIdentifier = KeyIdentifier.Absent,
            Extensions = [new("2.5.29.35", true, new byte[] { 0x30, 3, 0x80, 1, 1 })],
        }, keeps: false);
        yield return Case("names that are critical", spec => spec with { NamesCritical = true }, keeps: true);
        yield return Case("critical names without a subject", spec => spec with { Subject = string.Empty }, keeps: true);
        yield return Case(
            "names that are not critical without a subject", spec => spec with { Subject = string.Empty, NamesCritical = false }, keeps: false);
        yield return Case("a mailbox that is none", spec => spec with { EmailAddresses = ["a.test"] }, keeps: false);
        yield return Case("a mailbox", spec => spec with { EmailAddresses = ["a@a.test"] }, keeps: true);
        yield return Case("a URI that is none", spec => spec with { Uris = ["a.test"] }, keeps: false);
        yield return Case("a URI", spec => spec with { Uris = ["a:b"] }, keeps: true);
    }

    [TestCaseSource(nameof(Leaves))]
    public void The_letter_of_the_RFC_binds_the_certificate_of_a_peer(Func<CertificateSpec, CertificateSpec> change, bool keeps)
    {
        using var leaf = _root.Issue(spec => change(spec with { DnsNames = ["a.test"] }));

        TestPaths.Validate(leaf, TestPaths.Trusting(_root)).Rejection.Should().BeNull();
        TestPaths.Validate(leaf, TestPaths.Trusting(_root), ValidationProfile.Rfc5280).Reason().Should().Be(
            keeps ? null : RejectionReason.ProfileViolated);
    }

    private static IEnumerable<TestCaseData> Authorities()
    {
        yield return Case("no identifier of its key", spec => spec with { SubjectKeyIdentifier = KeyIdentifier.Absent }, keeps: false);
        yield return Case("no identifier of the key above", spec => spec with { AuthorityKeyIdentifier = KeyIdentifier.Absent }, keeps: false);
        yield return Case("no key usage", spec => spec with { KeyUsage = null }, keeps: false);
        yield return Case(
            "basic constraints that are not critical", spec => spec with { BasicConstraints = new(true, Critical: false) }, keeps: false);
        yield return Case("critical constraints of policies", Policies("2.5.29.36", critical: true, "3003810100"), keeps: true);
        yield return Case("constraints of policies that are not critical", Policies("2.5.29.36", critical: false, "3003810100"), keeps: false);
        yield return Case("a critical end of anyPolicy", Policies("2.5.29.54", critical: true, "020100"), keeps: true);
        yield return Case("an end of anyPolicy that is not critical", Policies("2.5.29.54", critical: false, "020100"), keeps: false);
        yield return Case("critical name constraints", Constraining(critical: true), keeps: true);
        yield return Case("name constraints that are not critical", Constraining(critical: false), keeps: false);
        yield return Case("any purpose", spec => spec with { ExtendedKeyUsages = [ExtendedKeyUsage.Any] }, keeps: true);
    }

    [TestCaseSource(nameof(Authorities))]
    public void The_letter_of_the_RFC_binds_the_certificates_of_authorities(Func<CertificateSpec, CertificateSpec> change, bool keeps)
    {
        using var authority = _root.IssueIntermediate("Authority", change);
        using var leaf = authority.Issue(spec => spec with { DnsNames = ["a.test"] });

        TestPaths.Validate(leaf, TestPaths.Trusting(_root)).Rejection.Should().BeNull();
        TestPaths.Validate(leaf, TestPaths.Trusting(_root), ValidationProfile.Rfc5280).Reason().Should().Be(
            keeps ? null : RejectionReason.ProfileViolated);
    }

    [Test]
    public void The_web_lets_name_constraints_be_not_critical()
    {
        using var authority = _root.IssueIntermediate("Authority", Constraining(critical: false));
        using var leaf = authority.Issue(spec => spec with { Subject = "CN=a.test", DnsNames = ["a.test"] });

        TestPaths.Validate(leaf, TestPaths.Trusting(_root), ValidationProfile.WebPki).Rejection.Should().BeNull();
    }

    private static IEnumerable<TestCaseData> Anchors()
    {
        yield return Case("a serial number of zero", spec => spec with { SerialNumber = 0 }, keeps: true);
        yield return Case("another issuer than itself, and its own signature", spec => spec with { Issuer = "CN=Other" }, keeps: true);
        yield return Case("its own name, signed by another key", spec => spec with { SigningKey = TestKey.Generate() }, keeps: true);
        yield return Case(
            "another issuer, signed by another key", spec => spec with { Issuer = "CN=Other", SigningKey = TestKey.Generate() }, keeps: false);
        yield return Case("an identifier of the key above without a key", spec => spec with
        {
            Extensions = [new("2.5.29.35", false, Convert.FromHexString("3015a110a40e300c310a30080603550403130178820105"))],
        }, keeps: false);
    }

    [TestCaseSource(nameof(Anchors))]
    public void Only_an_anchor_that_has_signed_itself_may_leave_out_who_signed_it(Func<CertificateSpec, CertificateSpec> change, bool keeps)
    {
        using var root = new TestAuthority("Anchor", change);
        using var leaf = root.Issue(spec => spec with { DnsNames = ["a.test"] });

        TestPaths.Validate(leaf, TestPaths.Trusting(root)).Rejection.Should().BeNull();
        TestPaths.Validate(leaf, TestPaths.Trusting(root), ValidationProfile.Rfc5280).Reason().Should().Be(
            keeps ? null : RejectionReason.ProfileViolated);
    }

    [Test]
    public void A_peer_that_has_signed_itself_names_the_key_all_the_same()
    {
        using var named = SelfSigned.Issue("a.test");
        using var nameless = SelfSigned.Issue("a.test", spec => spec with { AuthorityKeyIdentifier = KeyIdentifier.Absent });

        Judge(named, ValidationProfile.Rfc5280).Should().BeNull();
        Judge(nameless, ValidationProfile.MutualTls).Should().BeNull();
        Judge(nameless, ValidationProfile.Rfc5280).Should().Be(RejectionReason.ProfileViolated);
    }

    [Test]
    public void No_profile_takes_a_certificate_without_an_issuer_or_without_any_name()
    {
        using var unissued = SelfSigned.Issue("a.test", spec => spec with { Issuer = string.Empty });
        using var nameless = _root.Issue(spec => spec with { Subject = string.Empty });

        Judge(unissued, ValidationProfile.MutualTls).Should().Be(RejectionReason.ProfileViolated);
        TestPaths.Validate(nameless, TestPaths.Trusting(_root)).Reason().Should().Be(RejectionReason.ProfileViolated);
    }

    [Test]
    public void A_purpose_that_is_not_required_must_still_not_be_another_one()
    {
        var open = ValidationProfile.MutualTls with { Purpose = PurposeRule.UnlessContradicted };
        foreach (var (purposes, isRefused) in new (string[], bool)[]
        {
            ([], false),
            ([ExtendedKeyUsage.ClientAuth], false),
            ([ExtendedKeyUsage.Any], false),
            ([ExtendedKeyUsage.ServerAuth], true),
            ([ExtendedKeyUsage.ServerAuth, ExtendedKeyUsage.Any], false),
        })
        {
            using var leaf = _root.Issue(spec => spec with { ExtendedKeyUsages = purposes });

            TestPaths.Validate(leaf, TestPaths.Trusting(_root), open).Reason().Should().Be(
                isRefused ? RejectionReason.WrongUsage : null, string.Join(' ', purposes));
        }
    }

    [Test]
    public void Of_several_usages_that_a_profile_asks_for_each_is_needed()
    {
        const X509KeyUsageFlags Both = X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyAgreement;
        var profile = ValidationProfile.MutualTls with { LeafKeyUsage = Both };
        using var both = _root.Issue(spec => spec with { KeyUsage = Both | X509KeyUsageFlags.KeyEncipherment });
        using var one = _root.Issue(spec => spec with { KeyUsage = X509KeyUsageFlags.DigitalSignature });
        using var unsaid = _root.Issue(spec => spec with { KeyUsage = null });

        TestPaths.Validate(both, TestPaths.Trusting(_root), profile).Rejection.Should().BeNull();
        TestPaths.Validate(unsaid, TestPaths.Trusting(_root), profile).Rejection.Should().BeNull();
        TestPaths.Validate(one, TestPaths.Trusting(_root), profile).Reason().Should().Be(RejectionReason.WrongUsage);
    }

    [Test]
    public void A_certificate_counts_from_its_first_second_on()
    {
        using var leaf = _root.IssueClient("client.test");
        var begin = leaf.Read().NotBefore;

        TestPaths.Validate(leaf, TestPaths.Trusting(_root), at: begin.AddDays(1)).Rejection.Should().BeNull();
        using var later = _root.Issue(spec => spec with { NotBefore = begin.AddHours(1) });
        TestPaths.Validate(later, TestPaths.Trusting(_root), at: begin.AddHours(1)).Rejection.Should().BeNull();
        TestPaths.Validate(later, TestPaths.Trusting(_root), at: begin.AddHours(1).AddMilliseconds(-1)).Reason().Should().Be(
            RejectionReason.CertificateNotYetValid);
    }

    private static RejectionReason? Judge(TestCertificate peer, ValidationProfile profile) =>
        TestPaths.Validate(peer, [], TrustAnchors.FromDer(peer.RawCertificate), profile).Reason();

    private static Func<CertificateSpec, CertificateSpec> Policies(string oid, bool critical, string value) => spec => spec with
    {
        Policies = ["2.5.29.32.0"],
        Extensions = [new(oid, critical, Convert.FromHexString(value))],
    };

    private static Func<CertificateSpec, CertificateSpec> Constraining(bool critical) =>
        spec => spec with { NameConstraints = new() { Permitted = [GeneralName.Dns("test")], Critical = critical } };

    private static TestCaseData Case(string name, Func<CertificateSpec, CertificateSpec> change, bool keeps) =>
        new TestCaseData(change, keeps).SetArgDisplayNames(name, keeps ? "keeps it" : "breaks it");
}
