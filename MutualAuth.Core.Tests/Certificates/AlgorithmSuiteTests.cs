using System.Net.Security;
using MutualAuth.Certificates;
using MutualAuth.Evidence;
using MutualAuth.Ocsp;
using MutualAuth.Paths;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Certificates;

/// <summary>The suites by name, edge by edge: what is just inside, and what is just outside although it is strong.</summary>
public sealed class AlgorithmSuiteTests
{
    private const RejectionReason Not = RejectionReason.AlgorithmNotPermitted;
    private const KeyAlgorithm P256 = KeyAlgorithm.EcdsaP256;
    private const KeyAlgorithm P384 = KeyAlgorithm.EcdsaP384;
    private const KeyAlgorithm P521 = KeyAlgorithm.EcdsaP521;
    private const KeyAlgorithm Dsa65 = KeyAlgorithm.MLDsa65;
    private const KeyAlgorithm Dsa87 = KeyAlgorithm.MLDsa87;

    [TestCase(P384, P384, null, null)]
    [TestCase(P384, P256, null, Not)]
    [TestCase(P384, P521, null, Not)]
    [TestCase(P256, P384, SignatureAlgorithm.EcdsaSha384, Not)]
    [TestCase(P521, P384, SignatureAlgorithm.EcdsaSha384, Not)]
    [TestCase(P384, P384, SignatureAlgorithm.EcdsaSha256, Not)]
    [TestCase(P384, P384, SignatureAlgorithm.EcdsaSha512, Not)]
    [TestCase(P384, KeyAlgorithm.Rsa2048, null, Not)]
    [TestCase(P384, KeyAlgorithm.Rsa3072, null, null)]
    [TestCase(P384, KeyAlgorithm.Rsa4096, null, null)]
    [TestCase(KeyAlgorithm.Rsa3072, P384, SignatureAlgorithm.RsaSha384, null)]
    [TestCase(KeyAlgorithm.Rsa3072, P384, SignatureAlgorithm.RsaPssSha384, null)]
    [TestCase(KeyAlgorithm.Rsa3072, P384, SignatureAlgorithm.RsaSha256, Not)]
    [TestCase(KeyAlgorithm.Rsa3072, P384, SignatureAlgorithm.RsaPssSha512, Not)]
    [TestCase(KeyAlgorithm.Rsa2048, P384, SignatureAlgorithm.RsaSha384, Not)]
    public void CNSA_1_takes_P384_and_RSA_of_3072_bits_with_SHA384(
        KeyAlgorithm issuer, KeyAlgorithm subject, SignatureAlgorithm? signature, RejectionReason? expected) =>
        Judge(ValidationProfile.Cnsa1, issuer, subject, signature).Should().Be(expected);

    [TestCase("03", Not)]
    [TestCase("ffff", Not)]
    [TestCase("010001", null)]
    public void CNSA_1_takes_an_exponent_above_65536(string exponent, RejectionReason? expected)
    {
        var modulus = new byte[384];
        modulus[0] = 0x80;
        modulus[^1] = 1;
        using var root = PostQuantum.Root(P384);
        using var leaf = PostQuantum.Client(
            root, P384, spec => spec with { RawPublicKey = RsaKey(modulus, Convert.FromHexString(exponent)) });

        TestPaths.Validate(leaf, TestPaths.Trusting(root), ValidationProfile.Cnsa1).Reason().Should().Be(expected);
    }

    [TestCase(P384, Dsa87)]
    [TestCase(Dsa87, P384)]
    [TestCase(Dsa87, Dsa87)]
    public void CNSA_1_takes_no_ML_DSA(KeyAlgorithm issuer, KeyAlgorithm subject) =>
        Judge(ValidationProfile.Cnsa1, issuer, subject).Should().Be(PostQuantum.Here(Not));

    [TestCase(Dsa87, Dsa87, Dsa87, null)]
    [TestCase(Dsa87, Dsa87, Dsa65, Not)]
    [TestCase(Dsa87, Dsa87, P384, Not)]
    [TestCase(Dsa87, Dsa65, Dsa87, Not)]
    [TestCase(Dsa87, P384, Dsa87, Not)]
    [TestCase(Dsa65, Dsa87, Dsa87, Not)]
    [TestCase(P384, Dsa87, Dsa87, Not)]
    public void CNSA_2_takes_ML_DSA_87_alone_and_one_other_key_or_signature_is_enough(
        KeyAlgorithm top, KeyAlgorithm middle, KeyAlgorithm bottom, RejectionReason? expected)
    {
        using var root = PostQuantum.Root(top);
        using var issuing = PostQuantum.Below(root, middle);
        using var leaf = PostQuantum.Client(issuing, bottom);

        TestPaths.Validate(leaf, TestPaths.Trusting(root), ValidationProfile.MutualTls).Reason().Should().Be(PostQuantum.Here(null));
        var reason = TestPaths.Validate(leaf, TestPaths.Trusting(root), ValidationProfile.Cnsa2).Reason();
        (reason == PostQuantum.Here(expected) || (!PostQuantum.IsHere && reason == Not)).Should().BeTrue($"it is {reason}");
    }

    [Test]
    public void The_anchors_own_signature_does_not_count_and_its_key_does()
    {
        using var root = new TestAuthority(
            "Root", spec => spec with { Key = TestKey.Shared(P384, 40), SignatureAlgorithm = SignatureAlgorithm.EcdsaSha256 });
        using var leaf = PostQuantum.Client(root, P384);

        TestPaths.Validate(leaf, TestPaths.Trusting(root), ValidationProfile.Cnsa1).Reason().Should().BeNull();
    }

    [TestCase(SignatureAlgorithm.EcdsaSha384, null)]
    [TestCase(SignatureAlgorithm.EcdsaSha256, RejectionReason.RevocationStatusUnknown)]
    [TestCase(SignatureAlgorithm.EcdsaSha512, RejectionReason.RevocationStatusUnknown)]
    public void A_list_that_is_signed_otherwise_does_not_count(SignatureAlgorithm signature, RejectionReason? expected)
    {
        using var root = PostQuantum.Root(P384);
        using var leaf = PostQuantum.Client(root, P384);
        var stage = new CertificateStage(new CertificateStageOptions
        {
            Trust = root.ToTrustAnchors(),
            Authorization = Authorize.AnyTrustedPeer,
            Profile = ValidationProfile.Cnsa1,
            Revocation = new RevocationPolicy
            {
                Lists = RevocationLists.FromDer(root.IssueCrl(spec => spec with { SignatureAlgorithm = signature }).Raw),
            },
        });

        var rejection = RevocationWorld.RejectionOf(stage.Judge(new PeerEvidence(PeerRole.Client, [leaf.RawCertificate]), DateTimeOffset.UtcNow));
        (rejection?.Reason).Should().Be(expected);
    }

    [TestCase(SignatureAlgorithm.EcdsaSha384, true)]
    [TestCase(SignatureAlgorithm.EcdsaSha256, false)]
    [TestCase(SignatureAlgorithm.EcdsaSha512, false)]
    public void An_answer_of_a_responder_that_is_signed_otherwise_does_not_count_either(SignatureAlgorithm signature, bool counts)
    {
        using var root = PostQuantum.Root(P384);
        using var leaf = PostQuantum.Client(root, P384);
        var judge = new OcspJudge(OcspNonce.IfEchoed, TimeSpan.FromMinutes(1), ValidationProfile.Cnsa1);
        var answer = root.IssueOcspResponse(leaf, spec => spec with { SignatureAlgorithm = signature });

        var verdict = judge.Judge(
            new OcspQuestion(leaf.Read(), root.Read(), OcspHash.Sha1), answer, DateTimeOffset.UtcNow, responderLists: null);

        (verdict.Flaw is null).Should().Be(counts, verdict.Flaw);
    }

    [Test]
    public void A_rejection_names_the_suite_what_it_permits_and_what_there_was()
    {
        using var root = PostQuantum.Root(P384);
        using var leaf = PostQuantum.Client(root, P256);

        var rejection = TestPaths.Validate(leaf, TestPaths.Trusting(root), ValidationProfile.Cnsa1).Rejection!;

        rejection.Expected.Should().Contain("CNSA 1.0").And.Contain("P-384").And.Contain("RSA of 3,072");
        rejection.Presented.Should().Be("a P-256 key");
        rejection.Rule.Should().Be("RFC 8603");
    }

    [Test]
    public void Options_take_the_suites_of_both()
    {
        AlgorithmSuite.Cnsa1.CipherSuites.Should().Contain(TlsCipherSuite.TLS_AES_256_GCM_SHA384)
            .And.NotContain(suite => suite.ToString().Contains("128", StringComparison.Ordinal));
        AlgorithmSuite.Cnsa2.CipherSuites.Should().Equal(TlsCipherSuite.TLS_AES_256_GCM_SHA384);
        AlgorithmSuite.Cnsa2.KeyExchangeGroups.Should().Equal(KeyExchangeGroup.MLKem1024);
        AlgorithmSuite.Cnsa1.KeyExchangeGroups.Should().Contain(KeyExchangeGroup.Secp384r1).And.NotContain(KeyExchangeGroup.Secp256r1);
        KeyExchangePolicy.Only(AlgorithmSuite.Cnsa2.KeyExchangeGroups).Allowed.Should().Equal(KeyExchangeGroup.MLKem1024);
        ValidationProfile.MutualTls.Algorithms.Should().BeNull();
        AlgorithmSuite.Cnsa2.ToString().Should().Be("CNSA 2.0");
    }

    private static RejectionReason? Judge(ValidationProfile profile, KeyAlgorithm issuer, KeyAlgorithm subject, SignatureAlgorithm? signature = null)
    {
        using var root = PostQuantum.Root(issuer);
        using var leaf = PostQuantum.Client(root, subject, spec => spec with { SignatureAlgorithm = signature });
        return TestPaths.Validate(leaf, TestPaths.Trusting(root), profile).Reason();
    }

    private static byte[] RsaKey(byte[] modulus, byte[] exponent) => DerEdit.Encode(writer =>
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
                    key.WriteIntegerUnsigned(exponent);
                }
            }));
        }
    });
}
