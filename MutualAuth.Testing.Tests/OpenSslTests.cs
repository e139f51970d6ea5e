using MutualAuth.Testing.Tests.Support;

namespace MutualAuth.Testing.Tests;

/// <summary>An independent voice: the openssl program reads what the kit writes.</summary>
public sealed class OpenSslTests
{
    [Test]
    [CancelAfter(60000)]
    public void OpenSSL_verifies_a_chain_of_each_kind_of_key(
        [Values(
            KeyAlgorithm.EcdsaP256,
            KeyAlgorithm.EcdsaP384,
            KeyAlgorithm.EcdsaP521,
            KeyAlgorithm.Rsa2048,
            KeyAlgorithm.Ed25519)] KeyAlgorithm algorithm)
    {
        CertificateSpec WithKey(CertificateSpec spec) => spec with { KeyAlgorithm = algorithm };
        using var authority = new TestAuthority(spec: WithKey);
        using var intermediate = authority.IssueIntermediate(spec: WithKey);
        using var leaf = intermediate.Issue(spec => WithKey(spec) with { DnsNames = ["server.test"] });

        var (exitCode, output) = Verify(authority, leaf);

        exitCode.Should().Be(0, output);
    }

    [Test]
    [CancelAfter(60000)]
    public void OpenSSL_refuses_a_leaf_with_a_corrupt_signature_and_an_expired_one()
    {
        using var authority = new TestAuthority();
        using var corrupt = authority.Issue(spec => spec with { CorruptSignature = true });
        using var expired = authority.Issue(spec => spec with { NotAfter = spec.NotBefore.AddHours(1) });

        Verify(authority, corrupt).Output.Should().Contain("certificate signature failure");
        Verify(authority, expired).Output.Should().Contain("certificate has expired");
    }

    [Test]
    [CancelAfter(60000)]
    public void OpenSSL_reads_every_name_form()
    {
        using var authority = new TestAuthority();
        using var leaf = authority.Issue(spec => spec with
        {
            DnsNames = ["a.test"],
            IPAddresses = [System.Net.IPAddress.Loopback],
            Uris = ["spiffe://td/a"],
            EmailAddresses = ["joe@a.test"],
            OtherNames =
            [
                GeneralName.Directory("CN=dir,O=Org"),
                GeneralName.RegisteredId("1.2.3.4"),
                GeneralName.Other("1.2.3.5", new byte[] { 0x0c, 0x02, 0x68, 0x69 }),
            ],
            NameConstraints = new NameConstraints
            {
                Permitted = [GeneralName.Dns("a.test"), GeneralName.AddressRange(System.Net.IPNetwork.Parse("10.0.0.0/8"))],
                Excluded = [GeneralName.Email("b.test")],
            },
        });
        using var directory = new TemporaryDirectory();

        var output = Tool.Run("openssl", "x509", "-noout", "-text", "-in", directory.Write("leaf.pem", leaf.CertificatePem)).Output;

        output.Should().Contain("DNS:a.test").And.Contain("IP Address:127.0.0.1").And.Contain("URI:spiffe://td/a").And.Contain("email:joe@a.test")
            .And.MatchRegex("DirName:.*O ?= ?Org.*CN ?= ?dir").And.Contain("Registered ID:1.2.3.4")
            .And.MatchRegex("othername: ?1[.]2[.]3[.]5::?(UTF8:)?hi").And.Contain("IP:10.0.0.0/255.0.0.0");
    }

    [Test]
    [CancelAfter(60000)]
    public void OpenSSL_opens_PKCS12_and_encrypted_PKCS8()
    {
        using var authority = new TestAuthority();
        using var leaf = authority.IssueServer("a.test");
        using var directory = new TemporaryDirectory();

        var pkcs12 = directory.Write("leaf.p12", leaf.ToPkcs12("secret"));
        Tool.Run("openssl", "pkcs12", "-in", pkcs12, "-passin", "pass:secret", "-noout").ExitCode.Should().Be(0);
        Tool.Run("openssl", "pkcs12", "-in", pkcs12, "-passin", "pass:other", "-noout").ExitCode.Should().NotBe(0);
        var key = directory.Write("leaf.key", leaf.ToEncryptedPrivateKeyPem("secret"));
        Tool.Run("openssl", "pkey", "-in", key, "-passin", "pass:secret", "-noout").ExitCode.Should().Be(0);
    }

    private static (int ExitCode, string Output) Verify(TestAuthority authority, TestCertificate leaf)
    {
        using var directory = new TemporaryDirectory();
        var root = directory.Write("root.pem", authority.Root.CertificatePem);
        var untrusted = directory.Write("chain.pem", leaf.ChainPem);
        return Tool.Run(
            "openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", root, "-untrusted", untrusted,
            directory.Write("leaf.pem", leaf.CertificatePem));
    }
}
