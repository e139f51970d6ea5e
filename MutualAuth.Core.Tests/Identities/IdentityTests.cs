using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Testing;

namespace MutualAuth.Tests.Identities;

/// <summary>What loads, and that each mistake in one's own material is a sentence and not a surprise at the first handshake.</summary>
public sealed class IdentityTests
{
    private TestAuthority _root = null!;
    private TestAuthority _intermediate = null!;
    private TestCertificate _leaf = null!;
    private string _folder = null!;

    [SetUp]
    public void SetUp()
    {
        _root = new TestAuthority();
        _intermediate = _root.IssueIntermediate();
        _leaf = _intermediate.IssueServer("server.test");
        _folder = Directory.CreateTempSubdirectory("mutualauth-").FullName;
    }

    [TearDown]
    public void TearDown()
    {
        _leaf.Dispose();
        _intermediate.Dispose();
        _root.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static IEnumerable<TestCaseData> Forms()
    {
        static TestCaseData Form(string name, Func<IdentityTests, Identity> load) => new TestCaseData(load).SetArgDisplayNames(name);

        yield return Form("PEM text", tests => Identity.FromPem(tests._leaf.ChainPem, tests._leaf.PrivateKeyPem));
        yield return Form(
            "PEM text, encrypted key", tests => Identity.FromPem(tests._leaf.ChainPem, tests._leaf.ToEncryptedPrivateKeyPem("secret"), "secret"));
        yield return Form(
            "PEM text, root among the chain",
            tests => Identity.FromPem(tests._leaf.ChainPem + tests._root.CertificatePem, tests._leaf.PrivateKeyPem));
        yield return Form(
            "PEM files",
            tests => Identity.FromPemFiles(tests.Write("chain.pem", tests._leaf.ChainPem), tests.Write("key.pem", tests._leaf.PrivateKeyPem)));
        yield return Form("one PEM file", tests => Identity.FromPemFiles(tests.Write("both.pem", tests._leaf.ChainPem + tests._leaf.PrivateKeyPem)));
        yield return Form("PKCS#12", tests => Identity.FromPkcs12File(tests.Write("a.p12", tests._leaf.ToPkcs12("secret")), "secret"));
        yield return Form("framework objects", tests => Identity.From(tests._leaf.Certificate, tests._leaf.Chain));
    }

    [TestCaseSource(nameof(Forms))]
    public void Every_form_gives_the_leaf_and_its_intermediate(Func<IdentityTests, Identity> load)
    {
        var identity = load(this);

        identity.Certificate.DnsNames.Should().Equal("server.test");
        identity.Intermediates.Should().ContainSingle().Which.Subject.ToString().Should().Contain("Test Intermediate");
    }

    private static IEnumerable<TestCaseData> Mistakes()
    {
        static TestCaseData Mistake(string name, string says, Func<IdentityTests, Identity> load) =>
            new TestCaseData(says, load).SetArgDisplayNames(name);

        yield return Mistake("no certificate", "no PEM certificate", tests => Identity.FromPem("nothing here", tests._leaf.PrivateKeyPem));
        yield return Mistake(
            "a certificate that is none",
            "PEM block 1 is broken",
            tests => Identity.FromPem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", tests._leaf.PrivateKeyPem));
        yield return Mistake("no key", "there is no private key in it", tests => Identity.FromPem(tests._leaf.ChainPem, tests._leaf.ChainPem));
        yield return Mistake(
            "another's key",
            "not the key of the first certificate",
            tests => Identity.FromPem(tests._leaf.ChainPem, tests._root.IssueServer("other.test").PrivateKeyPem));
        yield return Mistake(
            "an encrypted key and no password",
            "give its password",
            tests => Identity.FromPem(tests._leaf.ChainPem, tests._leaf.ToEncryptedPrivateKeyPem("secret")));
        yield return Mistake(
            "the wrong password",
            "does not open it",
            tests => Identity.FromPem(tests._leaf.ChainPem, tests._leaf.ToEncryptedPrivateKeyPem("secret"), "guess"));
        yield return Mistake(
            "the wrong password of a PKCS#12",
            "password",
            tests => Identity.FromPkcs12File(tests.Write("a.p12", tests._leaf.ToPkcs12("secret")), "guess"));
        yield return Mistake("no such file", "cannot be read", tests => Identity.FromPemFiles(Path.Combine(tests._folder, "absent.pem")));
        yield return Mistake("a folder instead of a file", "is a directory", tests => Identity.FromPemFiles(tests._folder));
        yield return Mistake("a file beyond the bound", "at most", tests => Identity.FromPemFiles(tests.Write("huge.pem", new byte[(1 << 20) + 1])));
        yield return Mistake("an intermediate of somebody else's chain", "is no part of the chain", tests =>
        {
            using var stranger = tests._root.IssueIntermediate("Stranger");
            return Identity.FromPem(tests._leaf.ChainPem + stranger.CertificatePem, tests._leaf.PrivateKeyPem);
        });
        yield return Mistake("a certificate without its key", "has no private key", tests => Identity.From(tests._root.Certificate));
    }

    [TestCaseSource(nameof(Mistakes))]
    public void Every_mistake_says_what_to_do(string says, Func<IdentityTests, Identity> load)
    {
        var loading = () => load(this);

        loading.Should().Throw<MaterialException>().Which.Message.Should().Contain(says).And.NotContain("secret").And.NotContain("BEGIN PRIVATE");
    }

    [Test]
    public void The_platforms_store_gives_a_certificate_with_its_key_and_its_intermediates()
    {
        using var own = new X509Store(StoreName.My, StoreLocation.CurrentUser, OpenFlags.ReadWrite);
        using var authorities = new X509Store(StoreName.CertificateAuthority, StoreLocation.CurrentUser, OpenFlags.ReadWrite);
        var thumbprint = _leaf.Certificate.GetCertHashString(HashAlgorithmName.SHA256);
        own.Add(_leaf.Certificate);
        authorities.Add(_intermediate.Certificate);
        try
        {
            var identity = Identity.FromStore(StoreName.My, StoreLocation.CurrentUser, thumbprint.ToLowerInvariant());

            identity.Certificate.DnsNames.Should().Equal("server.test");
            identity.Intermediates.Should().ContainSingle();
        }
        finally
        {
            own.Remove(_leaf.Certificate);
            authorities.Remove(_intermediate.Certificate);
        }

        var loading = () => Identity.FromStore(StoreName.My, StoreLocation.CurrentUser, thumbprint);
        loading.Should().Throw<MaterialException>().Which.Problem.Should().Be(MaterialProblem.NoCertificate);
    }

    private string Write(string name, string text) => Write(name, System.Text.Encoding.ASCII.GetBytes(text));

    private string Write(string name, byte[] bytes)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
