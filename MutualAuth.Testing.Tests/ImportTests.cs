using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Testing.Tests.Support;

namespace MutualAuth.Testing.Tests;

/// <summary>Authorities, keys and requests that others made.</summary>
public sealed class ImportTests
{
    private TestAuthority _authority = null!;

    [OneTimeSetUp]
    public void SetUp() => _authority = new TestAuthority("Ours");

    [OneTimeTearDown]
    public void TearDown() => _authority.Dispose();

    [Test]
    public async Task An_authority_of_OpenSSL_issues_what_its_root_verifies()
    {
        using var directory = new TemporaryDirectory();
        var (key, certificate) = (Path.Combine(directory.Path, "ca.key"), Path.Combine(directory.Path, "ca.pem"));
        var (exitCode, output) = Tool.Run(
            "openssl",
            "req", "-x509", "-newkey", "rsa:2048", "-keyout", key, "-out", certificate, "-subj", "/O=Example/CN=Existing", "-passout", "pass:pä密");
        exitCode.Should().Be(0, output);
        using var existing = TestAuthority.FromPem(await File.ReadAllTextAsync(certificate), await File.ReadAllTextAsync(key), "pä密");
        using var server = existing.IssueServer("server.test");
        var (leaf, _) = server.WriteTo(directory.Path, "server");

        Tool.Run("openssl", "verify", "-CAfile", certificate, "-purpose", "sslserver", "-verify_hostname", "server.test", leaf)
            .ExitCode.Should().Be(0);
        var other = _authority.WriteTo(directory.Path, "other");
        Tool.Run("openssl", "verify", "-CAfile", other, leaf).ExitCode.Should().NotBe(0);
        using var pair = existing.CreatePair();
        await using var outcome = await pair.ConnectAsync();
        outcome.Client.Should().NotBeNull();
    }

    [Test]
    public async Task An_intermediate_that_exists_brings_what_is_above_it()
    {
        using var root = new TestAuthority("Root");
        using var middle = root.IssueIntermediate("Middle");
        using var issuing = middle.IssueIntermediate("Issuing");
        var pem = issuing.AsCertificate.ChainPem + root.CertificatePem;
        using var existing = TestAuthority.FromPem(pem, issuing.AsCertificate.PrivateKeyPem);

        using var leaf = existing.IssueClient("a.test");

        leaf.RawChain.Select(each => Convert.ToHexString(each.Span)).Should().Equal(
            Convert.ToHexString(issuing.AsCertificate.RawCertificate.Span), Convert.ToHexString(middle.AsCertificate.RawCertificate.Span));
        existing.Root.CertificatePem.Should().Be(root.CertificatePem);
        existing.Root.Invoking(above => above.IssueClient("b.test")).Should().Throw<InvalidOperationException>().WithMessage("*only its owner*");
        using var pair = existing.CreatePair();
        await using var outcome = await pair.ConnectAsync();
        outcome.Client.Should().NotBeNull();
    }

    [Test]
    public void What_does_not_belong_together_is_refused()
    {
        using var root = new TestAuthority("Root");
        using var middle = root.IssueIntermediate("Middle");
        var foreign = TestKey.Generate().PrivateKeyPem;

        FluentActions.Invoking(() => TestAuthority.FromPem(root.CertificatePem, foreign))
            .Should().Throw<ArgumentException>().WithMessage("*CN=Root*");
        FluentActions.Invoking(() => TestAuthority.FromPem(middle.CertificatePem, middle.AsCertificate.PrivateKeyPem))
            .Should().Throw<ArgumentException>().WithMessage("*CN=Middle, is no root*");
        FluentActions.Invoking(() => TestAuthority.FromPem("", foreign)).Should().Throw<ArgumentException>().WithMessage("*found none*");
        FluentActions.Invoking(() => TestAuthority.FromPem(root.CertificatePem, "")).Should().Throw<ArgumentException>().WithMessage("*found none*");
    }

    [Test]
    public void A_key_is_taken_in_every_form([Values(
        KeyAlgorithm.EcdsaP256,
        KeyAlgorithm.EcdsaP384,
        KeyAlgorithm.EcdsaP521,
        KeyAlgorithm.Rsa1024,
        KeyAlgorithm.Rsa2048,
        KeyAlgorithm.Ed25519,
        KeyAlgorithm.MLDsa44,
        KeyAlgorithm.MLDsa65,
        KeyAlgorithm.MLDsa87)] KeyAlgorithm algorithm)
    {
        var key = TestKey.Shared(algorithm);

        TestKey.FromPem(key.PrivateKeyPem).SubjectPublicKeyInfo.ToArray().Should().Equal(key.SubjectPublicKeyInfo.ToArray());
        var encrypted = TestKey.FromPem(key.ToEncryptedPem("pä密"), "pä密");
        encrypted.Algorithm.Should().Be(algorithm);
        encrypted.SubjectPublicKeyInfo.ToArray().Should().Equal(key.SubjectPublicKeyInfo.ToArray());
        encrypted.HasPrivateKey.Should().BeTrue();
        FluentActions.Invoking(() => TestKey.FromPem(key.ToEncryptedPem("pä密"), "pä")).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => TestKey.FromPem(key.ToEncryptedPem("pä密"))).Should().Throw<ArgumentException>().WithMessage("*no password*");
    }

    [Test]
    public void The_older_forms_of_OpenSSL_are_taken_too()
    {
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var rsa = RSA.Create(2048);

        TestKey.FromPem(ec.ExportECPrivateKeyPem()).SubjectPublicKeyInfo.ToArray().Should().Equal(ec.ExportSubjectPublicKeyInfo());
        TestKey.FromPem(rsa.ExportRSAPrivateKeyPem()).SubjectPublicKeyInfo.ToArray().Should().Equal(rsa.ExportSubjectPublicKeyInfo());
        using var other = ECDsa.Create(ECCurve.NamedCurves.brainpoolP256r1);
        FluentActions.Invoking(() => TestKey.FromPem(other.ExportPkcs8PrivateKeyPem())).Should().Throw<ArgumentException>().WithMessage("*P-256*");
    }

    [Test]
    public void Whatever_stands_in_PEM_a_key_or_an_ArgumentException_comes_out([Range(0, 199)] int seed)
    {
        var random = new Random(seed);
        var der = TestKey.Shared(KeyAlgorithm.EcdsaP256).Pkcs8.ToArray();
        for (var flaws = 0; flaws < 3; flaws++)
        {
            der[random.Next(der.Length)] = (byte)random.Next(256);
        }

        var label = new[] { "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY" }[seed % 4];
        var read = () => TestKey.FromPem(PemEncoding.WriteString(label, der.AsSpan(0, random.Next(der.Length + 1))), "password");

        try
        {
            read();
        }
        catch (ArgumentException)
        {
            // Said as it should be.
        }
    }

    [Test]
    public void A_request_is_signed_for_the_key_that_made_it()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("device.test");
        var request = new CertificateRequest("CN=Device,O=Example", key, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ExtendedKeyUsage.ClientAuth)], critical: false));
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));

        using var certificate = _authority.Sign(request.CreateSigningRequestPem());

        var read = certificate.Certificate;
        read.HasPrivateKey.Should().BeFalse();
        read.Subject.Should().Be("CN=Device, O=Example");
        read.PublicKey.ExportSubjectPublicKeyInfo().Should().Equal(key.ExportSubjectPublicKeyInfo());
        read.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single().EnumerateDnsNames().Should().Equal("device.test");
        read.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single().EnhancedKeyUsages.Cast<Oid>().Select(usage => usage.Value)
            .Should().Equal(ExtendedKeyUsage.ClientAuth);
        read.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority.Should().BeFalse("nobody makes himself an authority");
        read.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Single().SubjectKeyIdentifier.Should().Be(
            new X509SubjectKeyIdentifierExtension(read.PublicKey, critical: false).SubjectKeyIdentifier);
        certificate.Invoking(each => each.PrivateKeyPem).Should().Throw<InvalidOperationException>();
        using var joined = read.CopyWithPrivateKey(key);
        joined.HasPrivateKey.Should().BeTrue();
    }

    [Test]
    public void A_request_whose_signature_is_wrong_is_not_signed()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var der = new CertificateRequest("CN=Device", key, HashAlgorithmName.SHA256).CreateSigningRequest();
        der[^1] ^= 1;
        var pem = PemEncoding.WriteString("CERTIFICATE REQUEST", der);

        _authority.Invoking(authority => authority.Sign(pem)).Should().Throw<ArgumentException>().WithMessage("*signature*");
        _authority.Invoking(authority => authority.Sign("")).Should().Throw<ArgumentException>().WithMessage("*BEGIN CERTIFICATE REQUEST*");
        _authority.Invoking(authority => authority.Sign(PemEncoding.WriteString("CERTIFICATE REQUEST", [0x30, 0x00])))
            .Should().Throw<ArgumentException>().WithMessage("*cannot be read*");
    }
}
