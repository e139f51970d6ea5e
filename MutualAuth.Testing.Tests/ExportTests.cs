using MutualAuth.Testing.Tests.Support;

namespace MutualAuth.Testing.Tests;

/// <summary>What the kit writes is read by the tools of other ecosystems: certificate with its chain, key, and trust.</summary>
[CancelAfter(120000)]
public sealed class ExportTests
{
    private const string GoProgram = """
        package main

        import (
            "crypto/tls"
            "crypto/x509"
            "io/ioutil"
            "os"
        )

        func main() {
            pair, err := tls.LoadX509KeyPair(os.Args[1], os.Args[2])
            if err != nil {
                panic(err)
            }
            pem, err := ioutil.ReadFile(os.Args[3])
            if err != nil {
                panic(err)
            }
            roots := x509.NewCertPool()
            if !roots.AppendCertsFromPEM(pem) {
                panic("no roots")
            }
            intermediates := x509.NewCertPool()
            for _, der := range pair.Certificate[1:] {
                certificate, err := x509.ParseCertificate(der)
                if err != nil {
                    panic(err)
                }
                intermediates.AddCert(certificate)
            }
            leaf, err := x509.ParseCertificate(pair.Certificate[0])
            if err != nil {
                panic(err)
            }
            if _, err := leaf.Verify(x509.VerifyOptions{DNSName: "server.test", Roots: roots, Intermediates: intermediates}); err != nil {
                panic(err)
            }
        }
        """;

    private TemporaryDirectory _directory = null!;
    private TestAuthority _authority = null!;
    private TestAuthority _intermediate = null!;
    private TestAuthority _stranger = null!;

    [SetUp]
    public void SetUp()
    {
        _directory = new TemporaryDirectory();
        _authority = new TestAuthority();
        _intermediate = _authority.IssueIntermediate();
        _stranger = new TestAuthority("Stranger");
    }

    [TearDown]
    public void TearDown()
    {
        _stranger.Dispose();
        _intermediate.Dispose();
        _authority.Dispose();
        _directory.Dispose();
    }

    [Test]
    public void Java_reads_the_key_store_with_its_password_and_not_with_another(
        [Values(KeyAlgorithm.EcdsaP256, KeyAlgorithm.Rsa2048)] KeyAlgorithm algorithm)
    {
        using var server = Issue(algorithm);
        var store = _directory.Write("server.p12", server.ToPkcs12("changeit"));

        var (exitCode, output) = Tool.Run("keytool", "-list", "-v", "-storetype", "PKCS12", "-keystore", store, "-storepass", "changeit");

        exitCode.Should().Be(0, output);
        output.Should().Contain("PrivateKeyEntry").And.Contain("Certificate chain length: 2");
        Tool.Run("keytool", "-list", "-storetype", "PKCS12", "-keystore", store, "-storepass", "something else").ExitCode.Should().NotBe(0);
    }

    [Test]
    public void Python_loads_the_pair_and_the_trust_and_no_foreign_key([Values(KeyAlgorithm.EcdsaP256, KeyAlgorithm.Rsa2048)] KeyAlgorithm algorithm)
    {
        using var server = Issue(algorithm);
        using var other = Issue(algorithm);
        var (chain, key) = server.WriteTo(_directory.Path, "server");
        var (_, foreignKey) = other.WriteTo(_directory.Path, "other");
        var trust = _authority.WriteTo(_directory.Path);
        const string Program = "import ssl, sys; c = ssl.create_default_context(cafile=sys.argv[3]); c.load_cert_chain(sys.argv[1], sys.argv[2])";

        var (exitCode, output) = Tool.Run("python3", "-c", Program, chain, key, trust);

        exitCode.Should().Be(0, output);
        Tool.Run("python3", "-c", Program, chain, foreignKey, trust).ExitCode.Should().NotBe(0);
    }

    [Test]
    public void Go_loads_the_pair_and_verifies_it_against_our_trust_and_no_other(
        [Values(KeyAlgorithm.EcdsaP256, KeyAlgorithm.Rsa2048)] KeyAlgorithm algorithm)
    {
        using var server = Issue(algorithm);
        var (chain, key) = server.WriteTo(_directory.Path, "server");
        var trust = _authority.WriteTo(_directory.Path);
        var foreignTrust = _stranger.WriteTo(_directory.Path, "stranger");
        var program = _directory.Write("load.go", GoProgram);

        var (exitCode, output) = Tool.Run("go", "run", program, chain, key, trust);

        exitCode.Should().Be(0, output);
        Tool.Run("go", "run", program, chain, key, foreignTrust).ExitCode.Should().NotBe(0);
    }

    private TestCertificate Issue(KeyAlgorithm algorithm) =>
        _intermediate.Issue(spec => spec with { DnsNames = ["server.test"], KeyAlgorithm = algorithm });
}
