using System.Net;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Paths;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Paths;

/// <summary>The Baseline Requirements as far as a verifier sees them: what they allow beside what they forbid.</summary>
public sealed class WebPkiTests
{
    private static readonly byte[] s_keyId = [1, 2, 3];

    private TestAuthority _root = null!;

    [OneTimeSetUp]
    public void Make_the_root() => _root = new TestAuthority("Root");

    [OneTimeTearDown]
    public void Dispose_of_the_root() => _root.Dispose();

    private static IEnumerable<TestCaseData> ForTheWeb =>
    [
        Case("names that are critical where there is no subject", spec => spec with { Subject = string.Empty }),
        Case("a wildcard over a domain", spec => spec with { Subject = "CN=*.a.test", DnsNames = ["*.a.test"] }),
        Case("a common name above an alternative name", spec => spec with { Subject = "CN=b.test", DnsNames = ["a.b.test"] }),
        Case("an address beside the name", spec => spec with { IPAddresses = [IPAddress.Parse("192.0.2.1")] }),
        Case("an address whose first octet is that of an asterisk", spec => spec with { IPAddresses = [IPAddress.Parse("42.0.2.1")] }),
        Case(
            "an address alone, which is the common name",
            spec => spec with { Subject = "CN=192.0.2.1", DnsNames = [], IPAddresses = [IPAddress.Parse("192.0.2.1")] }),
        Case("a host as the common name of an address", spec => spec with { DnsNames = [], IPAddresses = [IPAddress.Parse("192.0.2.1")] }),
        Case("no key usage beside an elliptic curve key", spec => spec with { KeyUsage = null }),
        Case("an RSA key with a usage", spec => spec with { Key = TestKey.Shared(KeyAlgorithm.Rsa2048) }),
    ];

    [TestCaseSource(nameof(ForTheWeb))]
    public void A_server_that_keeps_the_requirements_is_accepted(Func<CertificateSpec, CertificateSpec> change)
    {
        using var server = Server(_root, change);

        Judge(server, _root).Should().BeNull();
    }

    private static IEnumerable<TestCaseData> NotForTheWeb =>
    [
        Case("an extended key usage that is critical", spec => spec with
        {
            ExtendedKeyUsages = [],
            Extensions = [new("2.5.29.37", true, Convert.FromHexString("300a06082b06010505070301"))],
        }),
        Case("an authority key identifier with issuer and serial number", WithIssuerAndSerial(s_keyId)),
        Case("a URI", spec => spec with { Uris = ["https://a.test/"] }),
        Case("an identifier that is registered", spec => spec with { OtherNames = [GeneralName.RegisteredId("1.2.3")] }),
        Case("a wildcard over a registry beside a good name", spec => spec with { DnsNames = ["a.test", "*.test"] }),
        Case("a common name of one label above an alternative name", spec => spec with { Subject = "CN=test" }),
        Case("a common name below the alternative name", spec => spec with { Subject = "CN=b.a.test" }),
        Case("a second common name that is no alternative name", spec => spec with { Subject = "CN=a.test,CN=other.test" }),
        Case("a common name that is no host name", NamedOnlyByAddress("CN=a b.test")),
        Case("a common name beyond ASCII", NamedOnlyByAddress("CN=\u00e4.test")),
        Case("the address of another as the common name", NamedOnlyByAddress("CN=192.0.2.2")),
        Case(
            "a common name that is a number",
            spec => spec with { RawSubject = Convert.FromHexString("300c310a30080603550403020105") }),
    ];

    [TestCaseSource(nameof(NotForTheWeb))]
    public void A_server_that_breaks_one_requirement_is_rejected_for_it(Func<CertificateSpec, CertificateSpec> change)
    {
        using var server = Server(_root, change);

        Judge(server, _root, ValidationProfile.MutualTls).Should().BeNull();
        Judge(server, _root).Should().Be(RejectionReason.ProfileViolated);
    }

    [Test]
    public void The_names_of_a_client_are_no_matter_of_the_web()
    {
        using var client = _root.Issue(
            spec => spec with { EmailAddresses = ["a@a.test"], DnsNames = [], ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth] });

        TestPaths.Validate(client, TestPaths.Trusting(_root), ValidationProfile.WebPki).Rejection.Should().BeNull();
    }

    private static IEnumerable<TestCaseData> Roots()
    {
        yield return Root("no identifier of its authority", spec => spec, isFit: true);
        yield return Root("its own", spec => spec with { AuthorityKeyIdentifier = KeyIdentifier.Of(s_keyId) }, isFit: true);
        yield return Root("another one", spec => spec with { AuthorityKeyIdentifier = KeyIdentifier.Of(new byte[] { 1, 2, 4 }) }, isFit: false);
        yield return Root("its own with issuer and serial number", WithIssuerAndSerial(s_keyId), isFit: false);
        yield return Root(
            "a purpose",
            spec => spec with { ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth, ExtendedKeyUsage.ClientAuth] },
            isFit: false);

        static TestCaseData Root(string name, Func<CertificateSpec, CertificateSpec> change, bool isFit) =>
            new TestCaseData(change, isFit).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Roots))]
    public void A_root_names_no_purpose_and_no_key_but_its_own(Func<CertificateSpec, CertificateSpec> change, bool isFit)
    {
        using var root = new TestAuthority("Other Root", spec => change(spec with { SubjectKeyIdentifier = KeyIdentifier.Of(s_keyId) }));
        using var server = Server(root);

        Judge(server, root, ValidationProfile.MutualTls).Should().BeNull();
        Judge(server, root).Should().Be(isFit ? null : RejectionReason.ProfileViolated);
    }

    [Test]
    public void An_anchor_that_is_no_root_names_the_key_above_it_and_may_name_a_purpose()
    {
        using var anchor = _root.IssueIntermediate("Anchor", spec => spec with { ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth] });
        using var server = Server(anchor);

        Judge(server, anchor).Should().BeNull();
    }

    private static TestCertificate Server(TestAuthority authority, Func<CertificateSpec, CertificateSpec>? change = null) => authority.Issue(spec =>
    {
        var good = spec with { Subject = "CN=a.test", DnsNames = ["a.test"], ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth] };
        return change?.Invoke(good) ?? good;
    });

    private static RejectionReason? Judge(TestCertificate server, TestAuthority anchor, ValidationProfile? profile = null) =>
        new PathValidator(profile ?? ValidationProfile.WebPki)
            .Validate(server.Read(), [], TestPaths.Trusting(anchor), PeerRole.Server, TimeProvider.System.GetUtcNow()).Reason();

    /// <summary>The extension with <c>[0] keyIdentifier, [1] authorityCertIssuer (CN=x), [2] authorityCertSerialNumber (5)</c>.</summary>
    private static Func<CertificateSpec, CertificateSpec> WithIssuerAndSerial(byte[] keyId) => spec => spec with
    {
        AuthorityKeyIdentifier = KeyIdentifier.Absent,
        Extensions =
            [new("2.5.29.35", false, Convert.FromHexString($"301a8003{Convert.ToHexString(keyId)}a110a40e300c310a30080603550403130178820105"))],
    };

    private static Func<CertificateSpec, CertificateSpec> NamedOnlyByAddress(string subject) =>
        spec => spec with { Subject = subject, DnsNames = [], IPAddresses = [IPAddress.Parse("192.0.2.1")] };

    private static TestCaseData Case(string name, Func<CertificateSpec, CertificateSpec> change) => new TestCaseData(change).SetArgDisplayNames(name);
}
