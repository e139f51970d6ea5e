using System.Net;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Certificates;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using GeneralName = MutualAuth.Testing.GeneralName;

namespace MutualAuth.Tests.Certificates;

public sealed class CertificateTests
{
    private TestAuthority _root = null!;

    [OneTimeSetUp]
    public void Make_the_root() => _root = new TestAuthority("Root");

    [OneTimeTearDown]
    public void Dispose_of_the_root() => _root.Dispose();

    [Test]
    public void What_is_read_is_what_was_issued()
    {
        using var issued = _root.Issue(spec => spec with
        {
            Subject = "CN=peer,O=Example",
            SerialNumber = new BigInteger(0x1234),
            DnsNames = ["a.test", "*.b.test"],
            Uris = ["spiffe://a.test/b"],
            EmailAddresses = ["a@b.test"],
            IPAddresses = [IPAddress.Loopback, IPAddress.IPv6Loopback],
        });
        var platform = issued.Certificate;

        var certificate = issued.Read();

        certificate.Subject.ToString().Should().Be("CN=peer,O=Example");
        certificate.Issuer.Should().Be(_root.Read().Subject);
        certificate.SerialNumber.Should().Be("1234");
        certificate.NotBefore.UtcDateTime.Should().Be(platform.NotBefore.ToUniversalTime());
        certificate.NotAfter.UtcDateTime.Should().Be(platform.NotAfter.ToUniversalTime());
        certificate.DnsNames.Should().Equal("a.test", "*.b.test");
        certificate.Uris.Should().Equal("spiffe://a.test/b");
        certificate.EmailAddresses.Should().Equal("a@b.test");
        certificate.IPAddresses.Should().Equal(IPAddress.Loopback, IPAddress.IPv6Loopback);
        certificate.KeyUsage.Should().Be(X509KeyUsageFlags.DigitalSignature);
        certificate.ExtendedKeyUsages.Should().Equal(ExtendedKeyUsage.ServerAuth, ExtendedKeyUsage.ClientAuth);
        certificate.IsCertificateAuthority.Should().BeFalse();
        certificate.PathLength.Should().BeNull();
        certificate.SubjectPublicKeyInfo.ToArray().Should().Equal(platform.PublicKey.ExportSubjectPublicKeyInfo());
        certificate.Thumbprint.Should().Be(platform.GetCertHashString(HashAlgorithmName.SHA256));
        certificate.RawData.ToArray().Should().Equal(platform.RawData);
    }

    [Test]
    public void An_authority_says_so()
    {
        using var authority = _root.IssueIntermediate("Below", spec => spec with { BasicConstraints = new(true, 3) });

        authority.Read().IsCertificateAuthority.Should().BeTrue();
        authority.Read().PathLength.Should().Be(3);
    }

    [Test]
    public void What_is_not_said_is_null_or_empty()
    {
        using var issued = _root.Issue(spec => spec with { KeyUsage = null, ExtendedKeyUsages = [] });

        issued.Read().KeyUsage.Should().BeNull();
        issued.Read().ExtendedKeyUsages.Should().BeEmpty();
        issued.Read().DnsNames.Should().BeEmpty();
    }

    [Test]
    public void The_platforms_object_is_the_same_certificate()
    {
        using var platform = _root.Read().ToX509Certificate2();

        platform.RawData.Should().Equal(_root.Read().RawData.ToArray());
    }

    [Test]
    public void Equality_is_that_of_the_octets()
    {
        using var other = new TestAuthority("Root");

        _root.Read().Should().Be(_root.Read());
        _root.Read().GetHashCode().Should().Be(_root.Read().GetHashCode());
        _root.Read().Should().NotBe(other.Read());
    }

    [Test]
    public void Every_prefix_and_every_tail_is_malformed()
    {
        var der = _root.AsCertificate.RawCertificate;

        for (var length = 0; length < der.Length; length++)
        {
            Problem(der[..length]).Should().Be(RejectionReason.CertificateMalformed);
        }

        Problem((byte[])[.. der.Span, 0]).Should().Be(RejectionReason.CertificateMalformed);
    }

    private static IEnumerable<TestCaseData> Malformed =>
    [
        Case("an extension twice", spec => spec with { Extensions = [Extension("1.2.3.4", "0500"), Extension("1.2.3.4", "0500")] }),
        Case("another algorithm inside than outside", spec => spec with { InnerSignatureAlgorithm = SignatureAlgorithm.EcdsaSha384 }),
        Case("extensions in version 1", spec => spec with { Version = 1 }),
        Case("a version that X.509 does not have", spec => spec with { Version = 4 }),
        Case("names that are no sequence", spec => spec with { Extensions = [Extension("2.5.29.17", "0500")] }),
        Case("an address of five octets", spec => spec with { OtherNames = [GeneralName.Raw(7, new byte[5])] }),
        Case("a DNS name beyond ASCII", spec => spec with { OtherNames = [GeneralName.Raw(2, new byte[] { 0x61, 0xe4 })] }),
        Case("a name of no known form", spec => spec with { OtherNames = [GeneralName.Raw(9, new byte[] { 0x61 })] }),
        Case("no purpose in the list", spec => spec with { ExtendedKeyUsages = [], Extensions = [Extension("2.5.29.37", "3000")] }),
        Case("no usage in the bits", spec => spec with { KeyUsage = null, Extensions = [Extension("2.5.29.15", "030100")] }),
        Case("a boolean that is not ff", spec => spec with { Extensions = [Extension("2.5.29.19", "3003010101")] }),
        Case("a negative path length", spec => spec with { Extensions = [Extension("2.5.29.19", "30060101ff0201ff")] }),
        Case("empty name constraints", spec => spec with { Extensions = [Extension("2.5.29.30", "3000")] }),
        Case("a subtree with a minimum", spec => spec with { Extensions = [Extension("2.5.29.30", "300aa0083006820161800101")] }),
        Case("empty policy constraints", spec => spec with { Extensions = [Extension("2.5.29.36", "3000")] }),
        Case("a policy twice", spec => spec with { Extensions = [Extension("2.5.29.32", "300c30040602290130040602 2901")] }),
        Case("noRevAvail that is critical", spec => spec with { Extensions = [new("2.5.29.56", true, Convert.FromHexString("0500"))] }),
        Case("noRevAvail with content", spec => spec with { Extensions = [Extension("2.5.29.56", "050100")] }),
        Case("noRevAvail that is no NULL", spec => spec with { Extensions = [Extension("2.5.29.56", "3000")] }),
        Case("data after an extension's value", spec => spec with { Extensions = [Extension("2.5.29.54", "0201000500")] }),
        Case("sixty-five extensions", spec => spec with { Extensions = [.. Enumerable.Range(0, 65).Select(i => Extension($"1.2.3.{i}", "0500"))] }),
    ];

    [TestCaseSource(nameof(Malformed))]
    public void A_certificate_is_malformed_for_one_fact(Func<CertificateSpec, CertificateSpec> change)
    {
        using var good = _root.Issue(spec => spec);
        using var bad = _root.Issue(change);

        Problem(good.RawCertificate).Should().BeNull();
        Problem(bad.RawCertificate).Should().Be(RejectionReason.CertificateMalformed);
    }

    [TestCase("190101000000Z", false)]
    [TestCase("20490101000000Z", true)]
    [TestCase("20500101000000Z", true)]
    [TestCase("20500101000000.5Z", false)]
    public void A_generalized_time_has_four_digits_of_the_year_and_whole_seconds(string text, bool isRead)
    {
        using var issued = _root.Issue(spec => spec with { NotAfter = new DateTimeOffset(2050, 1, 1, 0, 0, 0, TimeSpan.Zero) });
        var der = issued.RawCertificate.ToArray();
        var at = der.AsSpan().IndexOf("20500101000000Z"u8);
        at.Should().BeGreaterThan(0);
        if (text.Length != 15)
        {
            text = text.PadRight(15, 'Z')[..15];
        }

        System.Text.Encoding.ASCII.GetBytes(text).CopyTo(der, at);

        (Problem(der) is null).Should().Be(isRead);
    }

    [Test]
    public void Parse_throws_with_the_reason()
    {
        var parse = () => Certificate.Parse(new byte[] { 0x30, 0x00 });

        parse.Should().Throw<CryptographicException>().WithMessage("*certificate_malformed*");
    }

    private static RejectionReason? Problem(ReadOnlyMemory<byte> der) => Certificate.TryParse(der, out _, out var problem) ? null : problem.Reason;

    private static CertificateExtension Extension(string oid, string hex) =>
        new(oid, false, Convert.FromHexString(hex.Replace(" ", string.Empty, StringComparison.Ordinal)));

    private static TestCaseData Case(string name, Func<CertificateSpec, CertificateSpec> change) => new TestCaseData(change).SetArgDisplayNames(name);
}
