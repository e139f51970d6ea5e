using System.Security.Cryptography;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Identities;

/// <summary>
/// ML-DSA identities of ours, from every form of RFC 9881 §6 and from PKCS#12. Where the platform has no ML-DSA, loading says so and what it takes.
/// </summary>
[CancelAfter(60_000)]
public sealed class MLDsaIdentityTests
{
    private TestAuthority _authority = null!;
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp()
    {
        _authority = new TestAuthority();
        _folder = new TemporaryFolder();
    }

    [TearDown]
    public void TearDown()
    {
        _authority.Dispose();
        _folder.Dispose();
    }

    [Test]
    public void A_key_in_PEM_loads_in_each_form(
        [Values(KeyAlgorithm.MLDsa44, KeyAlgorithm.MLDsa65, KeyAlgorithm.MLDsa87)] KeyAlgorithm set, [Values] MLDsaKeyForm form)
    {
        using var leaf = Issue(set);

        AssertLoads(() => Identity.FromPem(leaf.ChainPem, leaf.Key.ToMLDsaPem(form)), set);
    }

    [Test]
    public void An_encrypted_key_loads_with_its_password_alone()
    {
        using var leaf = Issue(KeyAlgorithm.MLDsa65);
        var pem = leaf.ToEncryptedPrivateKeyPem("secret");

        AssertLoads(() => Identity.FromPem(leaf.ChainPem, pem, "secret"), KeyAlgorithm.MLDsa65);
        if (PostQuantum.IsHere)
        {
            FluentActions.Invoking(() => Identity.FromPem(leaf.ChainPem, pem, "guess")).Should().Throw<MaterialException>()
                .Which.Problem.Should().Be(MaterialProblem.WrongPassword);
        }
    }

    [Test]
    public void PKCS12_loads_with_its_password_alone([Values(KeyAlgorithm.MLDsa44, KeyAlgorithm.MLDsa87)] KeyAlgorithm set)
    {
        using var leaf = Issue(set);
        var path = WriteBytes("own.p12", leaf.ToPkcs12("secret"));

        AssertLoads(() => Identity.FromPkcs12File(path, "secret"), set);
        FluentActions.Invoking(() => Identity.FromPkcs12File(path, "guess")).Should().Throw<MaterialException>()
            .Which.Problem.Should().Be(MaterialProblem.WrongPassword);
    }

    [Test]
    public void The_key_of_another_certificate_is_refused_and_so_are_halves_of_two_keys()
    {
        if (!PostQuantum.IsHere)
        {
            return; // no certificate of this kind loads: the other tests say how
        }

        using var leaf = Issue(KeyAlgorithm.MLDsa44);
        var another = TestKey.Shared(KeyAlgorithm.MLDsa44, 51);
        var mixed = Mixed(leaf.Key.ToMLDsaPem(MLDsaKeyForm.Both), another.ToMLDsaPem(MLDsaKeyForm.Seed));

        Problem(() => Identity.FromPem(leaf.ChainPem, another.PrivateKeyPem)).Problem.Should().Be(MaterialProblem.KeyMismatch);
        Problem(() => Identity.FromPem(leaf.ChainPem, TestKey.Shared(KeyAlgorithm.EcdsaP256, 9).PrivateKeyPem))
            .Problem.Should().Be(MaterialProblem.KeyMismatch);
        Problem(() => Identity.FromPem(leaf.ChainPem, mixed)).Message.Should().Contain("not of the same key");
    }

    [TestCase(31)]
    [TestCase(33)]
    public void A_seed_of_another_length_is_damaged(int length)
    {
        using var leaf = Issue(KeyAlgorithm.MLDsa44);
        byte[] der =
        [
            0x30, (byte)(18 + length + 2), 0x02, 0x01, 0x00, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x11,
            0x04, (byte)(length + 2), 0x80, (byte)length, .. new byte[length],
        ];

        var problem = Problem(() => Identity.FromPem(leaf.ChainPem, PemEncoding.WriteString("PRIVATE KEY", der)));

        problem.Problem.Should().Be(MaterialProblem.NoKey);
        problem.Message.Should().Contain(PostQuantum.IsHere ? "damaged" : "OpenSSL 3.5");
    }

    [Test]
    public void An_open_key_is_used_with_its_certificate_and_with_no_other()
    {
        if (!PostQuantum.IsHere)
        {
            return; // there is no such key
        }

        using var leaf = Issue(KeyAlgorithm.MLDsa65);
        using var key = MLDsa.ImportMLDsaPrivateSeed(MLDsaAlgorithm.MLDsa65, Decode(leaf.Key.ToMLDsaPem(MLDsaKeyForm.Seed)).AsSpan(^32..));
        using var other = MLDsa.GenerateKey(MLDsaAlgorithm.MLDsa65);

        Identity.FromPem(leaf.ChainPem, key).Certificate.DnsNames.Should().Equal("own.test");
        Problem(() => Identity.FromPem(leaf.ChainPem, other)).Problem.Should().Be(MaterialProblem.KeyMismatch);
    }

    /// <summary>What the platform cannot present is refused when it is loaded, and for what it is.</summary>
    [Test]
    public void Ed25519_is_refused_as_what_the_platform_cannot_present_and_not_as_weak()
    {
        using var leaf = Issue(KeyAlgorithm.Ed25519);

        var problem = Problem(() => Identity.FromPem(leaf.ChainPem, leaf.PrivateKeyPem));

        problem.Problem.Should().Be(MaterialProblem.NoKey);
        problem.Message.Should().Contain("Ed25519").And.Contain("cannot present").And.Contain("P-256").And.NotContain("weak");
    }

    [Test]
    public void PKCS12_with_a_key_that_the_platform_has_not_is_told_from_a_wrong_password()
    {
        using var leaf = Issue(KeyAlgorithm.Ed25519);
        var path = WriteBytes("own.p12", leaf.ToPkcs12("secret"));

        var problem = Problem(() => Identity.FromPkcs12File(path, "secret"));

        problem.Problem.Should().Be(MaterialProblem.NoKey);
        problem.Message.Should().Contain("Ed25519").And.Contain("the password opens it").And.Contain(path);
    }

    private string WriteBytes(string name, byte[] bytes)
    {
        File.WriteAllBytes(_folder[name], bytes);
        return _folder[name];
    }

    private TestCertificate Issue(KeyAlgorithm algorithm) =>
        _authority.Issue(spec => spec with { Key = TestKey.Shared(algorithm, 50), DnsNames = ["own.test"] });

    /// <summary>The first key in both forms, with the seed of the second in the place of its own.</summary>
    private static string Mixed(string both, string seed)
    {
        var whole = Decode(both);
        Decode(seed).AsSpan(^32..).CopyTo(whole.AsSpan(whole.AsSpan().IndexOf<byte>([0x04, 0x20])..)[2..]);
        return PemEncoding.WriteString("PRIVATE KEY", whole);
    }

    private static byte[] Decode(string pem) => Convert.FromBase64String(pem[PemEncoding.Find(pem).Base64Data]);

    private static MaterialException Problem(Func<Identity> load) => FluentActions.Invoking(load).Should().Throw<MaterialException>().Which;

    private static void AssertLoads(Func<Identity> load, KeyAlgorithm set)
    {
        if (PostQuantum.IsHere)
        {
            load().Certificate.DnsNames.Should().Equal("own.test");
            return;
        }

        var problem = Problem(load);
        problem.Problem.Should().Be(MaterialProblem.NoKey);
        problem.Message.Should().Contain(set.ToString().Replace("MLDsa", "ML-DSA-", StringComparison.Ordinal)).And.Contain("OpenSSL 3.5")
            .And.NotContain("weak");
    }
}
