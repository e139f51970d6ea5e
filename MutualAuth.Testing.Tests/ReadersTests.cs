using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Testing.Tests.Support;

namespace MutualAuth.Testing.Tests;

/// <summary>
/// Each artefact and each reader of it: keys of every kind in PKCS#8, plain and under a password beyond ASCII, and PKCS#12 under the same one,
/// read by OpenSSL, Java, Python, Go and .NET. Each reader is started once or a few times for all of them.
/// </summary>
[CancelAfter(120000)]
public sealed class ReadersTests
{
    private const string Password = "pä密 ß";

    private static readonly KeyAlgorithm[] s_algorithms =
        [KeyAlgorithm.EcdsaP256, KeyAlgorithm.EcdsaP384, KeyAlgorithm.EcdsaP521, KeyAlgorithm.Rsa2048, KeyAlgorithm.Ed25519];

    private TemporaryDirectory _directory = null!;
    private TestAuthority _authority = null!;

    [OneTimeSetUp]
    public void WriteEverything()
    {
        _directory = new TemporaryDirectory();
        _authority = new TestAuthority();
        using var intermediate = _authority.IssueIntermediate();
        foreach (var algorithm in s_algorithms)
        {
            using var server = intermediate.Issue(spec => spec with { DnsNames = ["server.test"], Key = TestKey.Shared(algorithm) });
            server.WriteTo(_directory.Path, $"{algorithm}");
            _directory.Write($"{algorithm}.encrypted.key", server.ToEncryptedPrivateKeyPem(Password));
            _directory.Write($"{algorithm}.p12", server.ToPkcs12(Password));
            _directory.Write($"{algorithm}.ascii.p12", server.ToPkcs12("changeit"));
        }

        _directory.Write("trust.p12", _authority.ToTrustPkcs12(Password, "our authority"));
        _directory.Write("trust.ascii.p12", _authority.ToTrustPkcs12("changeit", "our authority"));
        _directory.Write("password", Password);
        _directory.Write("other", "pä密 s");
        _directory.Write("ascii", "changeit");
    }

    [OneTimeTearDown]
    public void Delete()
    {
        _authority.Dispose();
        _directory.Dispose();
    }

    [TestCaseSource(nameof(s_algorithms))]
    public void OpenSSL_reads_the_key_the_encrypted_key_and_the_key_store(KeyAlgorithm algorithm)
    {
        var plain = OpenSsl("pkey", "-in", $"{algorithm}.key", "-pubout");
        OpenSsl("pkey", "-in", $"{algorithm}.encrypted.key", "-passin", $"file:{At("password")}", "-pubout").Should().Be(plain);
        OpenSsl("pkcs12", "-in", $"{algorithm}.p12", "-passin", $"file:{At("password")}", "-nodes").Should()
            .Contain("BEGIN PRIVATE KEY").And.Contain("friendlyName: test");
        Tool.Run("openssl", "pkey", "-in", At($"{algorithm}.encrypted.key"), "-passin", $"file:{At("other")}", "-noout").ExitCode.Should().NotBe(0);
        Tool.Run("openssl", "pkcs12", "-in", At($"{algorithm}.p12"), "-passin", $"file:{At("other")}", "-nodes").ExitCode.Should().NotBe(0);
    }

    [Test]
    public void A_key_store_has_SHA_256_throughout()
    {
        var (exitCode, output) = Tool.Run(
            "openssl", "pkcs12", "-in", At("EcdsaP256.p12"), "-passin", $"file:{At("password")}", "-info", "-noout");

        exitCode.Should().Be(0, output);
        output.Should().Contain("MAC: sha256").And.Contain("PBES2, PBKDF2, AES-256-CBC").And.Contain("hmacWithSHA256")
            .And.NotContain("sha1").And.NotContain("SHA1");
    }

    [TestCaseSource(nameof(s_algorithms))]
    public void Java_reads_the_key_store(KeyAlgorithm algorithm)
    {
        var (exitCode, output) = KeyTool($"{algorithm}.ascii", "ascii");

        exitCode.Should().Be(0, output);
        output.Should().Contain("PrivateKeyEntry").And.Contain("Certificate chain length: 2");
    }

    [Test]
    public void Java_opens_no_key_store_under_another_password_and_says_of_one_beyond_ASCII_that_it_cannot()
    {
        KeyTool("EcdsaP256.ascii", "other").ExitCode.Should().NotBe(0);

        var (exitCode, output) = KeyTool("EcdsaP256", "password");

        exitCode.Should().NotBe(0, "the page says so: when this fails, Java has learnt it");
        output.Should().Contain("Password is not ASCII");
    }

    [Test]
    public void Each_of_them_reads_what_to_trust()
    {
        var (exitCode, output) = KeyTool("trust.ascii", "ascii");
        exitCode.Should().Be(0, output);
        output.Should().Contain("Alias name: our authority").And.Contain("Entry type: trustedCertEntry");
        OpenSsl("pkcs12", "-in", "trust.p12", "-passin", $"file:{At("password")}", "-nokeys").Should().Contain("friendlyName: our authority");
        X509CertificateLoader.LoadPkcs12CollectionFromFile(At("trust.p12"), Password).Single().HasPrivateKey.Should().BeFalse();
        KeyTool("trust.ascii", "other").ExitCode.Should().NotBe(0);
    }

    [Test]
    public void Python_reads_every_key_every_encrypted_key_and_every_key_store()
    {
        var program = _directory.Write("read.py", """
            import sys
            from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12, Encoding, PublicFormat
            folder, password, other = sys.argv[1], open(sys.argv[1] + '/password', 'rb').read(), open(sys.argv[1] + '/other', 'rb').read()
            def read(name): return open(folder + '/' + name, 'rb').read()
            def of(key): return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            def refuses(load):
                try: load()
                except ValueError: return True
                return False
            for name in sys.argv[2:]:
                plain = of(load_pem_private_key(read(name + '.key'), None))
                assert of(load_pem_private_key(read(name + '.encrypted.key'), password)) == plain, name
                assert refuses(lambda: load_pem_private_key(read(name + '.encrypted.key'), other)), name
                key, certificate, more = pkcs12.load_key_and_certificates(read(name + '.p12'), password)
                assert of(key) == plain and of(key) == certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), name
                assert len(more) == 1, name
                assert refuses(lambda: pkcs12.load_key_and_certificates(read(name + '.p12'), other)), name
            print('read', len(sys.argv) - 2)
            """);

        var (exitCode, output) = Tool.Run(Python(), [program, _directory.Path, .. s_algorithms.Select(algorithm => $"{algorithm}")]);

        exitCode.Should().Be(0, output);
        output.Should().Contain($"read {s_algorithms.Length}");
    }

    [Test]
    public void Go_reads_every_pair()
    {
        var program = _directory.Write("read.go", """
            package main

            import (
                "crypto/tls"
                "fmt"
                "os"
            )

            func main() {
                for _, name := range os.Args[2:] {
                    pair, err := tls.LoadX509KeyPair(os.Args[1]+"/"+name+".pem", os.Args[1]+"/"+name+".key")
                    if err != nil || len(pair.Certificate) != 2 {
                        panic(fmt.Sprint(name, err, len(pair.Certificate)))
                    }
                }
                fmt.Println("read", len(os.Args)-2)
            }
            """);

        var (exitCode, output) = Tool.Run("go", ["run", program, _directory.Path, .. s_algorithms.Select(algorithm => $"{algorithm}")]);

        exitCode.Should().Be(0, output);
        output.Should().Contain($"read {s_algorithms.Length}");
    }

    [TestCase(KeyAlgorithm.EcdsaP256)]
    [TestCase(KeyAlgorithm.EcdsaP521)]
    [TestCase(KeyAlgorithm.Rsa2048)]
    public void The_framework_reads_the_pair_the_encrypted_pair_and_the_key_store(KeyAlgorithm algorithm)
    {
        using var plain = X509Certificate2.CreateFromPemFile(At($"{algorithm}.pem"), At($"{algorithm}.key"));
        using var encrypted = X509Certificate2.CreateFromEncryptedPemFile(At($"{algorithm}.pem"), Password, At($"{algorithm}.encrypted.key"));
        using var store = X509CertificateLoader.LoadPkcs12FromFile(At($"{algorithm}.p12"), Password);

        plain.HasPrivateKey.Should().BeTrue();
        encrypted.HasPrivateKey.Should().BeTrue();
        store.HasPrivateKey.Should().BeTrue();
        store.RawData.Should().Equal(plain.RawData);
        var wrong = () => X509CertificateLoader.LoadPkcs12FromFile(At($"{algorithm}.p12"), "pä密 s");
        wrong.Should().Throw<CryptographicException>();
    }

    private string At(string name) => Path.Combine(_directory.Path, name);

    private string OpenSsl(string command, string option, string file, params string[] rest)
    {
        var (exitCode, output) = Tool.Run("openssl", [command, option, At(file), .. rest]);
        exitCode.Should().Be(0, output);
        return output;
    }

    private (int ExitCode, string Output) KeyTool(string store, string password) => Tool.Run(
        "keytool",
        "-J-Dfile.encoding=UTF-8", "-list", "-v", "-storetype", "PKCS12", "-keystore", At($"{store}.p12"), "-storepass:file", At(password));

    /// <summary>One that has the package cryptography: Debian brings it with its own interpreter.</summary>
    private static string Python() => Tool.Run("python3", "-c", "import cryptography").ExitCode == 0 ? "python3" : "/usr/bin/python3";
}
