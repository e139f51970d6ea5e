using System.Net;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Testing.Tests.Support;

namespace MutualAuth.Testing.Tests;

public sealed class TestAuthorityTests
{
    private static readonly DateTimeOffset s_now = new(2030, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [Test]
    public void A_root_is_a_self_signed_authority_valid_for_ten_years_around_the_clock()
    {
        using var authority = new TestAuthority("My Root", timeProvider: new FakeTimeProvider(s_now));

        var root = authority.Certificate;
        root.Subject.Should().Be("CN=My Root");
        root.Issuer.Should().Be("CN=My Root");
        root.NotBefore.ToUniversalTime().Should().Be(s_now.UtcDateTime.AddDays(-1));
        root.NotAfter.ToUniversalTime().Should().Be(s_now.UtcDateTime.AddDays(3652));
        root.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority.Should().BeTrue();
        root.HasPrivateKey.Should().BeFalse();
        authority.AsCertificate.Certificate.HasPrivateKey.Should().BeTrue();
    }

    [Test]
    public void A_leaf_is_valid_from_a_day_before_now_for_thirty_days()
    {
        using var authority = new TestAuthority(timeProvider: new FakeTimeProvider(s_now));
        using var leaf = authority.IssueServer("server.test");

        leaf.Certificate.NotBefore.ToUniversalTime().Should().Be(s_now.UtcDateTime.AddDays(-1));
        leaf.Certificate.NotAfter.ToUniversalTime().Should().Be(s_now.UtcDateTime.AddDays(30));
    }

    [Test]
    public void Names_are_read_for_what_they_look_like()
    {
        using var authority = new TestAuthority();
        using var leaf = authority.IssueClient("a.test", "*.b.test", "192.0.2.1", "2001:db8::1", "spiffe://td/a", "joe@example.test");

        var names = leaf.Certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
        names.EnumerateDnsNames().Should().Equal("a.test", "*.b.test");
        names.EnumerateIPAddresses().Should().Equal(IPAddress.Parse("192.0.2.1"), IPAddress.Parse("2001:db8::1"));
        names.Format(false).Should().Contain("URI:spiffe://td/a").And.Contain("joe@example.test");
        leaf.Certificate.Subject.Should().Be("CN=a.test");
    }

    [Test]
    public void Servers_and_clients_may_be_used_as_such_and_no_further()
    {
        using var authority = new TestAuthority();
        using var server = authority.IssueServer("a.test");
        using var client = authority.IssueClient("a.test");

        UsagesOf(server).Should().Equal(ExtendedKeyUsage.ServerAuth);
        UsagesOf(client).Should().Equal(ExtendedKeyUsage.ClientAuth);
    }

    [Test]
    public void What_an_intermediate_issues_brings_the_intermediates_but_not_the_root()
    {
        using var authority = new TestAuthority();
        using var upper = authority.IssueIntermediate("Upper");
        using var lower = upper.IssueIntermediate("Lower");
        using var leaf = lower.IssueServer("a.test");

        leaf.Chain.Select(certificate => certificate.Subject).Should().Equal("CN=Lower", "CN=Upper");
        leaf.ChainPem.Split("BEGIN CERTIFICATE").Should().HaveCount(4);
        lower.ToCertificateCollection().Single().Should().BeSameAs(authority.Certificate);
    }

    [Test]
    public void Every_field_can_be_set()
    {
        using var authority = new TestAuthority();
        using var leaf = authority.Issue(spec => spec with
        {
            Subject = "CN=leaf,O=Example\\, Inc.,C=GB",
            SerialNumber = new BigInteger(-5),
            NotBefore = s_now,
            NotAfter = s_now.AddYears(30),
            KeyUsage = X509KeyUsageFlags.KeyAgreement | X509KeyUsageFlags.DecipherOnly,
            ExtendedKeyUsages = [ExtendedKeyUsage.CodeSigning, "1.2.3.4"],
            BasicConstraints = new BasicConstraints(true, 3, Critical: false),
            SubjectKeyIdentifier = KeyIdentifier.Of(new byte[] { 1, 2, 3 }),
            AuthorityKeyIdentifier = KeyIdentifier.Absent,
            OtherNames =
                [GeneralName.RegisteredId("1.2.3"), GeneralName.Directory("CN=x,O=y"), GeneralName.Other("1.2.3", new byte[] { 0x0c, 1, 0x61 })],
            Policies = ["1.2.3.4.5"],
            CrlDistributionPoints = ["http://a.test/crl"],
            OcspUris = ["http://a.test/ocsp"],
            IssuerUris = ["http://a.test/ca"],
            Extensions = [new CertificateExtension("1.2.3.4.6", true, new byte[] { 4, 1, 7 })],
        });

        var certificate = leaf.Certificate;
        certificate.SubjectName.Name.Should().Be("CN=leaf, O=\"Example, Inc.\", C=GB");
        certificate.SerialNumberBytes.ToArray().Should().Equal(0xfb);
        certificate.NotAfter.ToUniversalTime().Should().Be(s_now.UtcDateTime.AddYears(30));
        var keyUsage = certificate.Extensions.OfType<X509KeyUsageExtension>().Single();
        keyUsage.KeyUsages.Should().Be(X509KeyUsageFlags.KeyAgreement | X509KeyUsageFlags.DecipherOnly);
        UsagesOf(leaf).Should().Equal(ExtendedKeyUsage.CodeSigning, "1.2.3.4");
        var constraints = certificate.Extensions.OfType<X509BasicConstraintsExtension>().Single();
        (constraints.CertificateAuthority, constraints.PathLengthConstraint, constraints.Critical).Should().Be((true, 3, false));
        certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Single().SubjectKeyIdentifier.Should().Be("010203");
        certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().Should().BeEmpty();
        certificate.Extensions.OfType<X509AuthorityInformationAccessExtension>().Single().EnumerateOcspUris().Should().Equal("http://a.test/ocsp");
        certificate.Extensions.Single(extension => extension.Oid!.Value == "1.2.3.4.6").Critical.Should().BeTrue();
    }

    [Test]
    public void A_key_identifier_that_is_computed_links_issuer_and_leaf()
    {
        using var authority = new TestAuthority();
        using var leaf = authority.IssueServer("a.test");

        var subject = authority.Certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Single();
        var link = leaf.Certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().Single();
        link.KeyIdentifier!.Value.ToArray().Should().Equal(subject.SubjectKeyIdentifierBytes.ToArray());
    }

    [Test]
    public void A_certificate_that_the_framework_cannot_carry_says_so_and_still_has_its_octets()
    {
        using var authority = new TestAuthority();
        using var malformed = authority.Issue(spec => spec with { RewriteCertificate = der => der[..^10] });
        using var edwards = authority.Issue(spec => spec with { KeyAlgorithm = KeyAlgorithm.Ed25519 });
        using var unpaired = authority.Issue(spec => spec with { RawPublicKey = TestKey.Generate().SubjectPublicKeyInfo });

        foreach (var certificate in new[] { malformed, edwards, unpaired })
        {
            FluentActions.Invoking(() => certificate.Certificate).Should().Throw<NotSupportedException>();
            certificate.RawCertificate.IsEmpty.Should().BeFalse();
        }
    }

    [TestCase(SignatureAlgorithm.RsaSha1)]
    [TestCase(SignatureAlgorithm.RsaMd5)]
    [TestCase(SignatureAlgorithm.RsaSha512)]
    [TestCase(SignatureAlgorithm.RsaPssSha256)]
    [TestCase(SignatureAlgorithm.RsaPssSha512)]
    public void An_RSA_authority_signs_as_it_is_told(SignatureAlgorithm algorithm)
    {
        using var authority = new TestAuthority(spec: spec => spec with { Key = TestKey.Shared(KeyAlgorithm.Rsa2048) });
        using var leaf = authority.Issue(spec => spec with { SignatureAlgorithm = algorithm });

        Verifies(leaf, authority).Should().BeTrue();
    }

    // Long RSA keys are made at random only: from a seed they take minutes.
    private static IEnumerable<TestCaseData> Kinds() =>
        from algorithm in Enum.GetValues<KeyAlgorithm>()
        from seed in new[] { null, "seed" }
        where seed is null || algorithm is not (KeyAlgorithm.Rsa3072 or KeyAlgorithm.Rsa4096)
        select new TestCaseData(algorithm, seed);

    [TestCaseSource(nameof(Kinds))]
    public void Every_kind_of_authority_signs_verifiably(KeyAlgorithm algorithm, string? seed)
    {
        using var authority = new TestAuthority(spec: spec => spec with { KeyAlgorithm = algorithm }, seed: seed);
        using var leaf = authority.IssueServer("a.test");
        using var corrupt = authority.Issue(spec => spec with { CorruptSignature = true });

        Verifies(leaf, authority).Should().BeTrue();
        Verifies(corrupt, authority).Should().BeFalse();
    }

    [Test]
    public void An_algorithm_that_does_not_fit_the_key_is_refused_at_once()
    {
        using var authority = new TestAuthority();

        FluentActions.Invoking(() => authority.Issue(spec => spec with { SignatureAlgorithm = SignatureAlgorithm.RsaSha256 }))
            .Should().Throw<ArgumentException>();
    }

    [Test]
    public void A_TBS_that_is_rewritten_is_signed_as_rewritten()
    {
        using var authority = new TestAuthority();
        using var leaf = authority.Issue(spec => spec with
        {
            Subject = "CN=before",
            RewriteTbs = tbs => Convert.FromHexString(
                Convert.ToHexString(tbs).Replace(Convert.ToHexString("before"u8), Convert.ToHexString("behind"u8), StringComparison.Ordinal)),
        });

        leaf.Certificate.Subject.Should().Be("CN=behind");
        Verifies(leaf, authority).Should().BeTrue();
    }

    [Test]
    public void A_password_opens_PKCS12_and_PKCS8_and_another_does_not()
    {
        using var authority = new TestAuthority();
        using var intermediate = authority.IssueIntermediate();
        using var leaf = intermediate.IssueServer("a.test");

        var loaded = X509CertificateLoader.LoadPkcs12Collection(leaf.ToPkcs12("secret"), "secret");
        loaded.Should().HaveCount(2);
        loaded.Single(certificate => certificate.HasPrivateKey).RawData.Should().Equal(leaf.RawCertificate.ToArray());
        FluentActions.Invoking(() => X509CertificateLoader.LoadPkcs12(leaf.ToPkcs12("secret"), "other")).Should().Throw<CryptographicException>();

        using var key = ECDsa.Create();
        key.ImportFromEncryptedPem(leaf.ToEncryptedPrivateKeyPem("secret"), "secret");
        key.ExportPkcs8PrivateKey().Should().NotBeEmpty();
        FluentActions.Invoking(() => key.ImportFromEncryptedPem(leaf.ToEncryptedPrivateKeyPem("secret"), "other"))
            .Should().Throw<CryptographicException>();
    }

    [Test]
    public void Files_are_written_for_servers_and_the_key_is_for_its_owner_only()
    {
        using var directory = new TemporaryDirectory();
        using var authority = new TestAuthority();
        using var intermediate = authority.IssueIntermediate();
        using var leaf = intermediate.IssueServer("a.test");

        var (certificate, key) = leaf.WriteTo(directory.Path, "server");

        using var loaded = X509Certificate2.CreateFromPemFile(certificate, key);
        loaded.RawData.Should().Equal(leaf.RawCertificate.ToArray());
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(key).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    [Test]
    public void Shared_keys_are_the_same_by_number()
    {
        TestKey.Shared(KeyAlgorithm.Rsa2048, 0).Should().BeSameAs(TestKey.Shared(KeyAlgorithm.Rsa2048, 0));
        TestKey.Shared(KeyAlgorithm.Rsa2048, 0).Should().NotBeSameAs(TestKey.Shared(KeyAlgorithm.Rsa2048, 1));
    }

    private static IEnumerable<string?> UsagesOf(TestCertificate certificate) =>
        certificate.Certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single().EnhancedKeyUsages.Cast<Oid>().Select(oid => oid.Value);

    /// <summary>
    /// By BouncyCastle's parser and verifier, which know every algorithm here and had no part in writing the certificate's envelope.
    /// </summary>
    private static bool Verifies(TestCertificate certificate, TestAuthority authority) =>
        new Org.BouncyCastle.X509.X509Certificate(certificate.RawCertificate.ToArray())
            .IsSignatureValid(new Org.BouncyCastle.X509.X509Certificate(authority.AsCertificate.RawCertificate.ToArray()).GetPublicKey());
}
