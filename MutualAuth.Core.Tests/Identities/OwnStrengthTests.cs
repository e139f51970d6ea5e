using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Identities;

/// <summary>What the platform's security level would refuse in every handshake is refused when the identity is made.</summary>
[CancelAfter(60000)]
public sealed class OwnStrengthTests
{
    private TestAuthority _authority = null!;

    [SetUp]
    public void SetUp()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Ignore("It is OpenSSL that has a security level.");
        }

        _authority = new TestAuthority("Ours", spec => spec with { Key = TestKey.Shared(KeyAlgorithm.Rsa2048, 7) });
    }

    [TearDown]
    public void TearDown() => _authority?.Dispose();

    [TestCase(KeyAlgorithm.Rsa1024, SignatureAlgorithm.RsaSha256, false)]
    [TestCase(KeyAlgorithm.Rsa2048, SignatureAlgorithm.RsaSha1, false)]
    [TestCase(KeyAlgorithm.Rsa2048, SignatureAlgorithm.RsaSha256, true)]
    public void Our_own_certificate_must_be_strong_enough(KeyAlgorithm key, SignatureAlgorithm signature, bool good)
    {
        using var certificate = _authority.Issue(spec => spec with { Key = TestKey.Shared(key), SignatureAlgorithm = signature });

        AssertMade(() => World.ToIdentity(certificate), good);
    }

    [TestCase(KeyAlgorithm.Rsa1024, SignatureAlgorithm.RsaSha256, false)]
    [TestCase(KeyAlgorithm.Rsa2048, SignatureAlgorithm.RsaSha1, false)]
    [TestCase(KeyAlgorithm.Rsa2048, SignatureAlgorithm.RsaSha256, true)]
    public void Our_intermediates_must_be_too(KeyAlgorithm key, SignatureAlgorithm signature, bool good)
    {
        using var intermediate = _authority.IssueIntermediate(
            spec: spec => spec with { Key = TestKey.Shared(key, 3), SignatureAlgorithm = signature });
        using var certificate = intermediate.IssueServer("server.test");

        AssertMade(() => World.ToIdentity(certificate), good);
    }

    private static void AssertMade(Func<Identity> make, bool good)
    {
        if (good)
        {
            make.Should().NotThrow();
        }
        else
        {
            make.Should().Throw<MaterialException>().Which.Problem.Should().Be(MaterialProblem.TooWeak);
        }
    }
}
