using System.Numerics;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Paths;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Paths;

/// <summary>What the profiles let pass, and the default's written values.</summary>
public sealed class ValidationProfileTests
{
    private TestAuthority _root = null!;

    [OneTimeSetUp]
    public void Make_the_root() => _root = new TestAuthority("Root");

    [OneTimeTearDown]
    public void Dispose_of_the_root() => _root.Dispose();

    [Test]
    public void The_default_is_what_the_documentation_says()
    {
        var profile = ValidationProfile.MutualTls;

        new PathValidator().Profile.Should().BeSameAs(profile);
        profile.Form.Should().Be(CertificateForm.Tolerant);
        profile.Purpose.Should().Be(PurposeRule.Required);
        profile.Leaf.Should().Be(LeafRule.EndEntity);
        profile.LeafKeyUsage.Should().Be(X509KeyUsageFlags.DigitalSignature);
        profile.MaxIntermediates.Should().Be(8);
        profile.MinimumRsaBits.Should().Be(2048);
        profile.MinimumCurveBits.Should().Be(256);
        profile.MinimumHashBits.Should().Be(256);
        profile.RequiredPolicies.Should().BeEmpty();
        profile.Budget.Should().Be(
            new ValidationBudget { SignatureChecks = 64, Candidates = 512, NameComparisons = 65_536, Certificates = 100, Bytes = 524_288 });
    }

    [Test]
    public void Values_that_would_weaken_it_are_refused()
    {
        Func<ValidationProfile>[] weak =
        [
            () => ValidationProfile.MutualTls with { MinimumRsaBits = 1024 },
            () => ValidationProfile.MutualTls with { MinimumCurveBits = 224 },
            () => ValidationProfile.MutualTls with { MinimumHashBits = 160 },
            () => ValidationProfile.MutualTls with { MaxIntermediates = 33 },
            () => ValidationProfile.MutualTls with { MaxIntermediates = -1 },
            () => ValidationProfile.MutualTls with { RequiredPolicies = ["gold"] },
            () => ValidationProfile.MutualTls with { Form = default },
            () => ValidationProfile.MutualTls with { Purpose = default },
            () => ValidationProfile.MutualTls with { Leaf = default },
            () => ValidationProfile.MutualTls with { Budget = new() { SignatureChecks = 0 } },
        ];

        weak.Should().AllSatisfy(make => make.Should().Throw<ArgumentException>());
    }

    private static IEnumerable<TestCaseData> Slips =>
    [
        Case("no authority key identifier", spec => spec with { AuthorityKeyIdentifier = KeyIdentifier.Absent }),
        Case("a serial number of zero", spec => spec with { SerialNumber = BigInteger.Zero }),
        Case("a negative serial number", spec => spec with { SerialNumber = BigInteger.MinusOne }),
        Case("a serial number of 21 octets", spec => spec with { SerialNumber = BigInteger.One << 160 }),
        Case("an underscore in a DNS name", spec => spec with { DnsNames = ["a_b.test"] }),
        Case("a critical authority information access", spec => spec with
        {
            Extensions = [new("1.3.6.1.5.5.7.1.1", true, Convert.FromHexString("300f300d06082b06010505073001860161"))],
        }),
    ];

    [TestCaseSource(nameof(Slips))]
    public void A_slip_of_form_passes_the_default_and_not_the_letter_of_the_rfc(Func<CertificateSpec, CertificateSpec> change)
    {
        using var good = _root.Issue(spec => spec with { DnsNames = ["a.test"] });
        using var slip = _root.Issue(change);
        var trust = TestPaths.Trusting(_root);

        TestPaths.Validate(good, trust, ValidationProfile.Rfc5280).Rejection.Should().BeNull();
        TestPaths.Validate(slip, trust).Rejection.Should().BeNull();
        TestPaths.Validate(slip, trust, ValidationProfile.Rfc5280).Reason().Should().Be(RejectionReason.ProfileViolated);
    }

    [Test]
    public void An_authority_as_a_peer_is_for_the_letter_of_the_rfc_only()
    {
        using var authority = _root.IssueIntermediate("Authority", spec => spec with { KeyUsage = X509KeyUsageFlags.KeyCertSign });

        TestPaths.Validate(authority.AsCertificate, TestPaths.Trusting(_root), ValidationProfile.Rfc5280).Rejection.Should().BeNull();
        TestPaths.Validate(authority.AsCertificate, TestPaths.Trusting(_root)).Reason().Should().Be(RejectionReason.CertificateAuthorityAsLeaf);
        TestPaths.Validate(_root.AsCertificate, TestPaths.Trusting(_root)).Reason().Should().Be(RejectionReason.CertificateAuthorityAsLeaf);
    }

    private static IEnumerable<TestCaseData> NotForTheWeb =>
    [
        Case("any purpose as well", spec => spec with { ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth, ExtendedKeyUsage.Any] }),
        Case("no alternative name", spec => spec with { DnsNames = [], Subject = "CN=a.test" }),
        Case("a common name that is no alternative name", spec => spec with { Subject = "CN=other.test" }),
        Case("a common name in other letters", spec => spec with { Subject = "CN=A.test" }),
        Case("a wildcard over a registry", spec => spec with { DnsNames = ["*.test"], Subject = "CN=*.test" }),
        Case("a mailbox", spec => spec with { EmailAddresses = ["a@a.test"] }),
        Case("critical names", spec => spec with { NamesCritical = true }),
        Case("an RSA key without a usage", spec => spec with { Key = TestKey.Shared(KeyAlgorithm.Rsa2048), KeyUsage = null }),
    ];

    [TestCaseSource(nameof(NotForTheWeb))]
    public void A_server_of_a_public_authority_has_one_more_rule_to_keep(Func<CertificateSpec, CertificateSpec> change)
    {
        Func<CertificateSpec, CertificateSpec> good =
            spec => spec with { Subject = "CN=a.test", DnsNames = ["a.test"], ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth] };
        using var keeps = _root.Issue(good);
        using var breaks = _root.Issue(spec => change(good(spec)));

        Judge(keeps, ValidationProfile.WebPki).Should().BeNull();
        Judge(breaks, ValidationProfile.MutualTls).Should().BeNull();
        Judge(breaks, ValidationProfile.WebPki).Should().Be(RejectionReason.ProfileViolated);
    }

    private RejectionReason? Judge(TestCertificate server, ValidationProfile profile) =>
        new PathValidator(profile).Validate(server.Read(), [], TestPaths.Trusting(_root), PeerRole.Server, TimeProvider.System.GetUtcNow()).Reason();

    private static TestCaseData Case(string name, Func<CertificateSpec, CertificateSpec> change) => new TestCaseData(change).SetArgDisplayNames(name);
}
