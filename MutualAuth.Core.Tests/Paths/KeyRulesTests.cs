using System.Formats.Asn1;
using MutualAuth.Paths;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Paths;

/// <summary>How long a key must be and may be, and which algorithms are too weak and which are only unknown.</summary>
public sealed class KeyRulesTests
{
    private TestAuthority _root = null!;

    [OneTimeSetUp]
    public void Make_the_root() => _root = new TestAuthority("Root", spec => spec with { KeyAlgorithm = KeyAlgorithm.EcdsaP521 });

    [OneTimeTearDown]
    public void Dispose_of_the_root() => _root.Dispose();

    [TestCase(2040, 2048, RejectionReason.WeakKey)]
    [TestCase(2048, 2048, null)]
    [TestCase(2052, 2048, RejectionReason.WeakKey)]
    [TestCase(3064, 3072, RejectionReason.WeakKey)]
    [TestCase(3072, 3072, null)]
    [TestCase(8192, 2048, null)]
    [TestCase(8192, 8192, null)]
    [TestCase(8200, 2048, RejectionReason.WeakKey)]
    public void An_RSA_key_lies_between_the_profiles_bound_and_8192_bits(int bits, int atLeast, RejectionReason? expected)
    {
        var modulus = new byte[(bits + 7) / 8];
        modulus[0] = (byte)(0x80 >> ((8 - (bits % 8)) % 8));
        modulus[^1] = 1;
        using var leaf = _root.Issue(spec => spec with { RawPublicKey = RsaKey(modulus) });

        TestPaths.Validate(leaf, TestPaths.Trusting(_root), ValidationProfile.MutualTls with { MinimumRsaBits = atLeast }).Reason()
            .Should().Be(expected);
    }

    [TestCase(KeyAlgorithm.EcdsaP256, 256, null)]
    [TestCase(KeyAlgorithm.EcdsaP256, 384, RejectionReason.WeakKey)]
    [TestCase(KeyAlgorithm.EcdsaP384, 384, null)]
    [TestCase(KeyAlgorithm.EcdsaP384, 521, RejectionReason.WeakKey)]
    [TestCase(KeyAlgorithm.EcdsaP521, 521, null)]
    public void A_curve_is_as_large_as_the_profile_asks_for(KeyAlgorithm algorithm, int atLeast, RejectionReason? expected)
    {
        using var leaf = _root.Issue(spec => spec with { Key = TestKey.Shared(algorithm) });

        TestPaths.Validate(leaf, TestPaths.Trusting(_root), ValidationProfile.MutualTls with { MinimumCurveBits = atLeast }).Reason()
            .Should().Be(expected);
    }

    [TestCase(SignatureAlgorithm.EcdsaSha256, 256, null)]
    [TestCase(SignatureAlgorithm.EcdsaSha256, 384, RejectionReason.WeakSignature)]
    [TestCase(SignatureAlgorithm.EcdsaSha384, 384, null)]
    [TestCase(SignatureAlgorithm.EcdsaSha384, 512, RejectionReason.WeakSignature)]
    [TestCase(SignatureAlgorithm.EcdsaSha512, 512, null)]
    public void A_hash_is_as_long_as_the_profile_asks_for(SignatureAlgorithm algorithm, int atLeast, RejectionReason? expected)
    {
        using var leaf = _root.Issue(spec => spec with { SignatureAlgorithm = algorithm });

        TestPaths.Validate(leaf, TestPaths.Trusting(_root), ValidationProfile.MutualTls with { MinimumHashBits = atLeast }).Reason()
            .Should().Be(expected);
    }

    [Test]
    public void The_signature_of_an_anchor_does_not_matter_and_its_key_does()
    {
        using var weakly = new TestAuthority("Root", spec => spec with { SignatureAlgorithm = SignatureAlgorithm.EcdsaSha1 });
        using var weak = new TestAuthority("Root", spec => spec with { Key = TestKey.Shared(KeyAlgorithm.Rsa1024) });
        using var below = weakly.IssueClient("client.test");
        using var other = weak.IssueClient("client.test");

        TestPaths.Validate(below, TestPaths.Trusting(weakly)).Rejection.Should().BeNull();
        TestPaths.Validate(other, TestPaths.Trusting(weak)).Reason().Should().Be(RejectionReason.WeakKey);
    }

    [TestCase("300906072a8648ce3d0401", RejectionReason.WeakSignature, "ECDSA with SHA-1")]
    [TestCase("300906072a8648ce380403", RejectionReason.WeakSignature, "DSA with SHA-1")]
    [TestCase("300706052b0e03021d", RejectionReason.WeakSignature, "RSA with SHA-1 by the identifier of OIW")]
    [TestCase("300d06092a864886f70d0101040500", RejectionReason.WeakSignature, "RSA with MD5")]
    [TestCase("30020500", RejectionReason.WeakSignature, "no identifier at all")]
    [TestCase("300506032b6570", RejectionReason.AlgorithmNotSupported, "Ed25519")]
    [TestCase("300b0609608648016503040320", RejectionReason.AlgorithmNotSupported, "HashML-DSA-44")]
    [TestCase("300b0609608648016503040314", RejectionReason.AlgorithmNotSupported, "SLH-DSA")]
    public void What_is_known_to_be_weak_is_told_from_what_is_not_known(string algorithm, RejectionReason expected, string what)
    {
        var identifier = Convert.FromHexString(algorithm);
        using var leaf = _root.Issue(spec => spec with
        {
            RewriteTbs = tbs => DerEdit.Sequence(tbs, parts => parts[2] = identifier),
            RewriteCertificate = whole => DerEdit.Sequence(whole, parts => parts[1] = identifier),
        });

        TestPaths.Validate(leaf, TestPaths.Trusting(_root)).Reason().Should().Be(expected, what);
    }

    private static byte[] RsaKey(byte[] modulus) => DerEdit.Encode(writer =>
    {
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier("1.2.840.113549.1.1.1");
                writer.WriteNull();
            }

            writer.WriteBitString(DerEdit.Encode(key =>
            {
                using (key.PushSequence())
                {
                    key.WriteIntegerUnsigned(modulus);
                    key.WriteInteger(65537);
                }
            }));
        }
    });
}
