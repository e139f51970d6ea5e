using System.Numerics;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Testing.Revocation;
using MutualAuth.Testing.Tests.Support;
using Org.BouncyCastle.X509;
using Org.BouncyCastle.X509.Extension;

namespace MutualAuth.Testing.Tests.Revocation;

public sealed class CrlTests
{
    [Test]
    public void A_CRL_lists_what_was_revoked_and_nothing_else()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        using var authority = new TestAuthority(timeProvider: clock);
        using var good = authority.IssueClient("good.test");
        using var bad = authority.IssueClient("bad.test");
        authority.Revoke(bad, X509RevocationReason.KeyCompromise);

        var crl = Parse(authority.IssueCrl(), authority);

        crl.IsRevoked(ParseCertificate(good)).Should().BeFalse();
        crl.IsRevoked(ParseCertificate(bad)).Should().BeTrue();
        crl.ThisUpdate.Should().Be(clock.GetUtcNow().UtcDateTime);
        crl.NextUpdate.Should().Be(clock.GetUtcNow().UtcDateTime.AddDays(7));
    }

    [Test]
    public void Numbers_rise()
    {
        using var authority = new TestAuthority();

        authority.IssueCrl().Spec.Number.Should().Be(BigInteger.One);
        authority.IssueCrl().Spec.Number.Should().Be(new BigInteger(2));
    }

    [Test]
    public void Another_key_does_not_verify()
    {
        using var authority = new TestAuthority();

        var forged = new X509Crl(authority.IssueCrl(spec => spec with { SigningKey = TestKey.Generate() }).Raw.ToArray());

        forged.IsSignatureValid(KeyOf(authority)).Should().BeFalse();
        new X509Crl(authority.IssueCrl(spec => spec with { CorruptSignature = true }).Raw.ToArray())
            .IsSignatureValid(KeyOf(authority))
            .Should().BeFalse();
    }

    [Test]
    public void A_delta_CRL_names_its_base_and_a_partition_its_scope()
    {
        using var authority = new TestAuthority();

        var crl = Parse(
            authority.IssueCrl(spec => spec with
            {
                DeltaBase = 1,
                IssuingDistributionPoint = new IssuingDistributionPoint
                { Uri = "http://a.test/part", OnlyEndEntities = true, Indirect = true, OnlySomeReasons = 1 << 6 },
                FreshestCrlUris = ["http://a.test/delta"],
            }),
            authority);

        crl.GetCriticalExtensionOids().Should().BeEquivalentTo("2.5.29.27", "2.5.29.28");
        var point = Org.BouncyCastle.Asn1.X509.IssuingDistributionPoint.GetInstance(
            X509ExtensionUtilities.FromExtensionValue(crl.GetExtensionValue(Org.BouncyCastle.Asn1.X509.X509Extensions.IssuingDistributionPoint)));
        (point.OnlyContainsUserCerts, point.OnlyContainsCACerts, point.IsIndirectCrl).Should().Be((true, false, true));
        point.DistributionPoint.ToString().Should().Contain("http://a.test/part");
    }

    [Test]
    [CancelAfter(60000)]
    public void OpenSSL_finds_a_revoked_certificate_and_lets_its_neighbour_pass()
    {
        using var authority = new TestAuthority();
        using var good = authority.IssueClient("good.test");
        using var bad = authority.IssueClient("bad.test");
        authority.Revoke(bad);
        using var directory = new TemporaryDirectory();
        var root = directory.Write("root.pem", authority.CertificatePem);
        var crl = authority.IssueCrl().WriteTo(directory.Path);

        var passes = Tool.Run("openssl", "verify", "-crl_check", "-CAfile", root, "-CRLfile", crl, directory.Write("good.pem", good.CertificatePem));
        var fails = Tool.Run("openssl", "verify", "-crl_check", "-CAfile", root, "-CRLfile", crl, directory.Write("bad.pem", bad.CertificatePem));

        passes.ExitCode.Should().Be(0, passes.Output);
        fails.Output.Should().Contain("certificate revoked");
    }

    private static X509Crl Parse(TestCrl crl, TestAuthority authority)
    {
        var parsed = new X509Crl(crl.Raw.ToArray());
        parsed.IsSignatureValid(KeyOf(authority)).Should().BeTrue();
        return parsed;
    }

    private static Org.BouncyCastle.Crypto.AsymmetricKeyParameter KeyOf(TestAuthority authority) =>
        ParseCertificate(authority.AsCertificate).GetPublicKey();

    private static Org.BouncyCastle.X509.X509Certificate ParseCertificate(TestCertificate certificate) => new(certificate.RawCertificate.ToArray());
}
