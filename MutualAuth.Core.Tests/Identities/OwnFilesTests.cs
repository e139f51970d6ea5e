using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MutualAuth.Identities;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Identities;

/// <summary>What is whole loads, what is cut or broken never does, and the sentence names the file and what to do.</summary>
public sealed class OwnFilesTests
{
    private TestAuthority _root = null!;
    private TestAuthority _intermediate = null!;
    private TestCertificate _leaf = null!;
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp()
    {
        _root = new TestAuthority();
        _intermediate = _root.IssueIntermediate();
        _leaf = _intermediate.IssueServer("server.test");
        _folder = new TemporaryFolder();
    }

    [TearDown]
    public void TearDown()
    {
        _folder.Dispose();
        _leaf.Dispose();
        _intermediate.Dispose();
        _root.Dispose();
    }

    private string Leaf => _leaf.CertificatePem.TrimEnd();

    private string Intermediate => _intermediate.CertificatePem.TrimEnd();

    private static IEnumerable<TestCaseData> Whole()
    {
        static TestCaseData Case(string name, Func<OwnFilesTests, string> chain) => new TestCaseData(chain).SetArgDisplayNames(name);

        yield return Case("two blocks", tests => $"{tests.Leaf}\n{tests.Intermediate}\n");
        yield return Case("no line break between them", tests => tests.Leaf + tests.Intermediate);
        yield return Case("a byte order mark", tests => $"\ufeff{tests.Leaf}\n{tests.Intermediate}\n");
        yield return Case("a byte order mark before each", tests => $"\ufeff{tests.Leaf}\n\ufeff{tests.Intermediate}\n");
        yield return Case("lines of Windows", tests => $"{tests.Leaf}\n{tests.Intermediate}\n".ReplaceLineEndings("\r\n"));
        yield return Case("text around them", tests => $"Certificate:\n    Data: 1\n{tests.Leaf}\nsubject=CN=x\n\n{tests.Intermediate}\nend");
        yield return Case("indented lines", tests => $"{tests.Leaf}\n{tests.Intermediate}".Replace("\n", "\n  ", StringComparison.Ordinal));
        yield return Case("an intermediate twice", tests => $"{tests.Leaf}\n{tests.Intermediate}\n{tests.Intermediate}\n");
        yield return Case("the leaf twice", tests => $"{tests.Leaf}\n{tests.Leaf}\n{tests.Intermediate}\n");
        yield return Case("the root among them", tests => $"{tests.Leaf}\n{tests._root.CertificatePem}{tests.Intermediate}\n");
        yield return Case("the key before them", tests => $"{tests._leaf.PrivateKeyPem}{tests.Leaf}\n{tests.Intermediate}\n");
        yield return Case("the old label", tests => $"{tests.Leaf}\n{tests.Intermediate}\n".Replace(" CERT", " X509 CERT", StringComparison.Ordinal));
    }

    [TestCaseSource(nameof(Whole))]
    public void What_is_whole_loads_with_its_intermediate(Func<OwnFilesTests, string> chain)
    {
        var path = _folder.Write("tls.crt", chain(this));

        var identity = Identity.FromPemFiles(path, _folder.Write("tls.key", _leaf.PrivateKeyPem));

        identity.Certificate.Should().Be(_leaf.Read());
        identity.Intermediates.Should().Equal(_intermediate.Read());
    }

    private static IEnumerable<TestCaseData> Broken()
    {
        static TestCaseData Case(string name, string says, Func<OwnFilesTests, string> chain) =>
            new TestCaseData(says, chain).SetArgDisplayNames(name);

        yield return Case("cut in the 2nd block", "PEM block 2 is broken", tests => $"{tests.Leaf}\n{tests.Intermediate[..300]}");
        yield return Case("cut in the 2nd END line", "PEM block 2 is broken", tests => $"{tests.Leaf}\n{tests.Intermediate[..^3]}");
        yield return Case("cut in the 2nd BEGIN line", "PEM block 2 is broken", tests => $"{tests.Leaf}\n-----BEGIN CERT");
        yield return Case("cut in the first words of it", "PEM block 2 is broken", tests => $"{tests.Leaf}\n-----BE");
        yield return Case("a 2nd BEGIN line that is missing", "PEM block 2 is broken",
            tests => $"{tests.Leaf}\n{tests.Intermediate[(tests.Intermediate.IndexOf('\n', StringComparison.Ordinal) + 1)..]}\n");
        yield return Case("a 1st END line that is missing", "PEM block 1 is broken",
            tests => $"{tests.Leaf[..tests.Leaf.LastIndexOf('\n')]}\n{tests.Intermediate}\n");
        yield return Case("no Base64 in the 2nd block", "PEM block 2 is broken",
            tests => $"{tests.Leaf}\n{tests.Intermediate.Remove(200, 1).Insert(200, "?")}\n");
        yield return Case("lines that are missing in the 2nd block", "PEM block 2 is broken",
            tests => $"{tests.Leaf}\n{WithoutLine(tests.Intermediate, 3)}\n");
        yield return Case("lines that are missing in the 1st block", "PEM block 1 is broken",
            tests => $"{WithoutLine(tests.Leaf, 3)}\n{tests.Intermediate}\n");
        yield return Case("nothing in the 2nd block", "PEM block 2 is broken",
            tests => $"{tests.Leaf}\n-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n");
        yield return Case("an END line of another label", "PEM block 2 is broken",
            tests => $"{tests.Leaf}\n{tests.Intermediate.Replace("END CERTIFICATE", "END X509 CRL", StringComparison.Ordinal)}\n");
    }

    [TestCaseSource(nameof(Broken))]
    public void What_is_cut_or_broken_is_refused_at_the_start_and_on_a_reload(string says, Func<OwnFilesTests, string> chain)
    {
        var (chainPath, keyPath) = _folder.Write(_leaf);
        using var files = IdentityFiles.FromPem(chainPath, keyPath, options: _folder.Options);
        var heard = new Heard(files);

        _folder.Rename("tls.crt", chain(this));
        _folder.Settle();

        var start = () => Identity.FromPemFiles(chainPath, keyPath);
        start.Should().Throw<MaterialException>().Which.Message.Should().Contain(says).And.Contain(chainPath);
        heard.Refused.Should().ContainSingle().Which.Message.Should().Contain(says);
        files.Current.Intermediates.Should().ContainSingle("the last good one stays");

        _folder.Rename("tls.crt", $"{Leaf}\n{Intermediate}\n# renewed\n");
        _folder.Settle();
        files.LastFailure.Should().BeNull();
    }

    private static string WithoutLine(string pem, int line) => string.Join('\n', pem.Split('\n').Where((_, index) => index != line));

    private static IEnumerable<TestCaseData> Keys()
    {
        static TestCaseData Case(string name, MaterialProblem problem, string key, string? password, params string[] says) =>
            new TestCaseData(problem, key, password, says).SetArgDisplayNames(name);

        const MaterialProblem Wrong = MaterialProblem.WrongPassword;
        yield return Case("a password and no encryption", Wrong, KeyForms.Plain, "secret", "it is not encrypted", "leave the password out");
        foreach (var (name, form) in Encrypted)
        {
            yield return Case($"{name}, wrong password", Wrong, form, "guess", "the password does not open it");
            yield return Case($"{name}, no password", Wrong, form, null, "it is encrypted, so give its password");
        }

        yield return Case("a cipher that the framework has not", MaterialProblem.NoKey, KeyForms.Camellia, "secret",
            "1.2.392.200011.61.1.1.1.4", "openssl pkcs8 -topk8 -in FILE -out NEW-FILE");
        yield return Case("the same in the traditional form", MaterialProblem.NoKey, KeyForms.TraditionalCamellia, "secret",
            "CAMELLIA-128-CBC", "openssl pkcs8 -topk8 -in FILE -out NEW-FILE");
        yield return Case("nothing", MaterialProblem.NoKey, string.Empty, null, "there is no private key in it");
        yield return Case("text", MaterialProblem.NoKey, "garbage", null, "there is no private key in it");
        yield return Case("a cut key", MaterialProblem.NoKey, KeyForms.Plain[..100], null, "PEM block 1 is broken");
        yield return Case("a damaged key", MaterialProblem.NoKey, KeyForms.Plain.Replace("MHcC", "MHcD", StringComparison.Ordinal), null,
            "PEM block 1", "damaged");
        yield return Case("a certificate", MaterialProblem.NoKey, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", null,
            "there is no private key in it");
        yield return Case("another's key", MaterialProblem.KeyMismatch, TestKey.Shared(KeyAlgorithm.EcdsaP256, 9).PrivateKeyPem, null,
            "not the key of the first certificate");
        yield return Case("another's RSA key", MaterialProblem.KeyMismatch, TestKey.Shared(KeyAlgorithm.Rsa2048, 9).PrivateKeyPem, null,
            "not the key of the first certificate");
        yield return Case("an Ed25519 key", MaterialProblem.NoKey, TestKey.Shared(KeyAlgorithm.Ed25519).PrivateKeyPem, null,
            "Ed25519 is not supported", "P-256");
    }

    private static IEnumerable<(string Name, string Key)> Encrypted =>
    [
        ("PBES2", KeyForms.Pbes2), ("scrypt", KeyForms.Scrypt), ("traditional AES-128", KeyForms.TraditionalAes128),
        ("traditional AES-192", KeyForms.TraditionalAes192), ("traditional AES-256", KeyForms.TraditionalAes256),
        ("traditional 3DES", KeyForms.TraditionalTripleDes),
    ];

    [TestCaseSource(nameof(Keys))]
    public void What_is_wrong_with_a_key_names_its_file_and_says_what_to_do(MaterialProblem problem, string key, string? password, string[] says)
    {
        var keyPath = _folder.Write("the.key", key);

        var load = () => Identity.FromPemFiles(_folder.Write("the.crt", SelfSigned(KeyForms.Plain)), keyPath, password);

        var thrown = load.Should().Throw<MaterialException>().Which;
        thrown.Problem.Should().Be(problem, thrown.Message);
        thrown.Message.Should().Contain(keyPath).And.NotContain("the.crt").And.NotContain("in The file")
            .And.NotContain("The key contents").And.NotContain("secret").And.NotContain("guess").And.NotContain("MHcCAQ");
        says.Where(words => !thrown.Message.Contains(words.Replace("NEW-FILE", "KEY.pem", StringComparison.Ordinal)
            .Replace("FILE", keyPath, StringComparison.Ordinal), StringComparison.Ordinal)).Should().BeEmpty(thrown.Message);
    }

    [Test]
    public void Every_encryption_that_OpenSSL_writes_with_a_common_cipher_opens()
    {
        var certificate = SelfSigned(KeyForms.Plain);
        foreach (var (name, key) in Encrypted)
        {
            Identity.FromPem(certificate, key, "secret").Certificate.Subject.ToString().Should().Be("CN=own", name);
            Identity.FromPem(certificate, "\ufeff" + key.ReplaceLineEndings("\r\n"), "secret").Should().NotBeNull(name);
            Identity.FromPem(certificate + "\n" + key, certificate + "\n" + key, "secret").Should().NotBeNull(name);
        }

        Identity.FromPem(certificate, KeyForms.Plain).Should().NotBeNull();
    }

    [Test]
    public void The_key_of_several_that_is_the_certificates_is_taken() =>
        Identity.FromPem(SelfSigned(KeyForms.Plain), TestKey.Shared(KeyAlgorithm.EcdsaP256, 9).PrivateKeyPem + KeyForms.Plain).Should().NotBeNull();

    private static IEnumerable<TestCaseData> OtherForms()
    {
        static TestCaseData Case(string name, Func<OwnFilesTests, byte[]> content, params string[] says) =>
            new TestCaseData(content, says).SetArgDisplayNames(name);

        yield return Case("DER", tests => tests._leaf.RawCertificate.ToArray(), "a certificate in DER", "openssl x509 -inform DER -in");
        yield return Case("PKCS#12", tests => tests._leaf.ToPkcs12("secret"), "PKCS#12", "Identity.FromPkcs12File");
        yield return Case("PKCS#7", tests => Encoding.ASCII.GetBytes("-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----\n"), "PKCS7", "openssl pkcs7");
        yield return Case("a Java key store", _ => Convert.FromHexString("feedfeed00000002"), "Java key store", "keytool");
        yield return Case("UTF-16", tests => Encoding.Unicode.GetBytes("\ufeff" + tests.Leaf), "UTF-16");
        yield return Case("a key", tests => tests._leaf.Key.Pkcs8.ToArray(), "a private key in DER", "openssl pkey -inform DER -in");
    }

    [TestCaseSource(nameof(OtherForms))]
    public void Another_form_is_named_with_the_way_out(Func<OwnFilesTests, byte[]> content, string[] says)
    {
        var path = _folder["other"];
        File.WriteAllBytes(path, content(this));

        var load = () => Identity.FromPemFiles(path, _folder.Write("tls.key", _leaf.PrivateKeyPem));

        var message = load.Should().Throw<MaterialException>().Which.Message;
        message.Should().Contain(path);
        says.Where(words => !message.Contains(words, StringComparison.Ordinal)).Should().BeEmpty(message);
    }

    [Test]
    public void A_directory_is_said_to_be_one()
    {
        var directory = Directory.CreateDirectory(_folder["certificates"]).FullName;

        foreach (var load in (Action[])[() => Identity.FromPemFiles(directory), () => TrustAnchors.FromPemFiles(directory)])
        {
            load.Should().Throw<MaterialException>().Which.Message.Should().Contain($"{directory} is a directory");
        }
    }

    [TestCase("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1")]
    [TestCase("1.3.132.0.10", "secp256k1")]
    public void A_curve_that_no_peer_of_this_library_accepts_is_refused_at_load(string curve, string name)
    {
        using var key = ECDsa.Create(ECCurve.CreateFromValue(curve));
        var certificate = SelfSigned(key.ExportECPrivateKeyPem());

        var load = () => Identity.FromPem(certificate, key.ExportECPrivateKeyPem());

        var thrown = load.Should().Throw<MaterialException>().Which;
        thrown.Problem.Should().Be(MaterialProblem.NoKey);
        thrown.Message.Should().Contain(name).And.Contain("no peer").And.Contain("P-256");
    }

    [Test]
    public void One_of_several_keys_of_a_PKCS12_file_is_chosen()
    {
        using var other = _root.IssueServer("other.test");
        using var stranger = _root.IssueIntermediate("Stranger");
        X509Certificate2Collection both =
        [
            _leaf.Certificate, X509CertificateLoader.LoadCertificate(_intermediate.Certificate.RawData), other.Certificate,
            X509CertificateLoader.LoadCertificate(stranger.Certificate.RawData),
        ];
        var path = _folder["both.p12"];
        File.WriteAllBytes(path, both.Export(X509ContentType.Pkcs12, "secret")!);

        var chosen = Identity.FromPkcs12File(path, "secret", certificate => certificate.DnsNames.Contains("server.test"));
        chosen.Certificate.Should().Be(_leaf.Read());
        chosen.Intermediates.Should().Equal(_intermediate.Read());
        Identity.FromPkcs12File(path, "secret", certificate => certificate.Thumbprint == other.Read().Thumbprint)
            .Certificate.Should().Be(other.Read());
        Identity.FromPkcs12File(path, "secret", certificate => certificate.SubjectKeyIdentifier == _leaf.Read().SubjectKeyIdentifier)
            .Certificate.Should().Be(_leaf.Read());
        using var files = IdentityFiles.FromPkcs12(
            path, certificate => certificate.DnsNames.Contains("other.test"), _folder.Write("password", "secret"), options: _folder.Options);
        files.Current.Certificate.Should().Be(other.Read());

        foreach (var load in (Action[])[
            () => Identity.FromPkcs12File(path, "secret"),
            () => Identity.FromPkcs12File(path, "secret", _ => false),
            () => Identity.FromPkcs12File(path, "secret", _ => true)])
        {
            var refused = load.Should().Throw<MaterialException>().Which;
            refused.Problem.Should().Be(MaterialProblem.NoKey);
            refused.Message.Should().Contain(path).And.Contain(_leaf.Read().Thumbprint).And.Contain(other.Read().Thumbprint);
        }
    }

    private static IEnumerable<TestCaseData> NoPkcs12()
    {
        static TestCaseData Case(string name, MaterialProblem problem, string says, Func<OwnFilesTests, byte[]> content) =>
            new TestCaseData(problem, says, content).SetArgDisplayNames(name);

        yield return Case("PEM", MaterialProblem.NoKey, "Identity.FromPemFiles", tests => Encoding.ASCII.GetBytes(tests.Leaf));
        yield return Case("a certificate", MaterialProblem.NoKey, "a certificate in DER", tests => tests._leaf.RawCertificate.ToArray());
        yield return Case("a Java key store", MaterialProblem.NoKey, "keytool", _ => Convert.FromHexString("feedfeed00000002"));
        yield return Case("a cut file", MaterialProblem.NoKey, "or it is cut", tests => tests._leaf.ToPkcs12("secret")[..200]);
        yield return Case("another password", MaterialProblem.WrongPassword, "the password does not open it", tests => tests._leaf.ToPkcs12("other"));
    }

    [TestCaseSource(nameof(NoPkcs12))]
    public void What_is_no_PKCS12_or_has_another_password_is_named(MaterialProblem problem, string says, Func<OwnFilesTests, byte[]> content)
    {
        File.WriteAllBytes(_folder["identity.p12"], content(this));

        var load = () => Identity.FromPkcs12File(_folder["identity.p12"], "secret");

        var refused = load.Should().Throw<MaterialException>().Which;
        refused.Problem.Should().Be(problem, refused.Message);
        refused.Message.Should().Contain(says).And.Contain(_folder["identity.p12"]);
    }

    // RFC 7914 §12.
    [TestCase("", "", 16, 1, 1,
        "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906")]
    [TestCase("password", "NaCl", 1024, 8, 16,
        "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640")]
    public void Scrypt_is_that_of_its_RFC(string password, string salt, int cost, int blocks, int parallel, string key) =>
        Convert.ToHexStringLower(Scrypt.DeriveKey(Encoding.ASCII.GetBytes(password), Encoding.ASCII.GetBytes(salt), cost, blocks, parallel, 64)!)
            .Should().Be(key);

    [TestCase(1, 1, 1)]
    [TestCase(3, 1, 1)]
    [TestCase(16, 0, 1)]
    [TestCase(16, 1, 0)]
    [TestCase(1 << 22, 8, 1)]
    [TestCase(16, 8, 1 << 22)]
    [TestCase(int.MaxValue, int.MaxValue, int.MaxValue)]
    public void Scrypt_has_a_bound(int cost, int blocks, int parallel) => Scrypt.DeriveKey([1], [2], cost, blocks, parallel, 16).Should().BeNull();

    private static string SelfSigned(string keyPem)
    {
        using var key = ECDsa.Create();
        key.ImportFromPem(keyPem);
        using var certificate = new CertificateRequest("CN=own", key, HashAlgorithmName.SHA256).CreateSelfSigned(
            new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2099, 1, 1, 0, 0, 0, TimeSpan.Zero));
        return certificate.ExportCertificatePem();
    }
}
