using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Certificates;
using MutualAuth.Evidence;
using MutualAuth.Names;
using MutualAuth.Ocsp;
using MutualAuth.Paths;
using MutualAuth.Pinning;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Testing.Responders;
using MutualAuth.Tests.Support;
using MutualAuth.Trust;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Paths;

/// <summary>
/// ML-DSA (RFC 9881) in paths, lists, answers of responders, known peers, pins and deny lists. Where the platform has none, each is rejected as not
/// supported: never accepted, and never called weak.
/// </summary>
[CancelAfter(60_000)]
public sealed class MLDsaPathsTests
{
    private const KeyAlgorithm P256 = KeyAlgorithm.EcdsaP256;
    private const KeyAlgorithm Dsa44 = KeyAlgorithm.MLDsa44;
    private const KeyAlgorithm Dsa65 = KeyAlgorithm.MLDsa65;
    private const KeyAlgorithm Dsa87 = KeyAlgorithm.MLDsa87;

    [TestCase(Dsa44, Dsa44, Dsa44)]
    [TestCase(Dsa65, Dsa65, Dsa65)]
    [TestCase(Dsa87, Dsa87, Dsa87)]
    [TestCase(P256, Dsa65, P256)]
    [TestCase(Dsa87, P256, Dsa44)]
    [TestCase(KeyAlgorithm.Rsa2048, KeyAlgorithm.EcdsaP384, Dsa65)]
    public void A_path_of_any_mixture_leads_to_its_anchor_and_with_one_bit_of_a_signature_changed_it_does_not(
        KeyAlgorithm top, KeyAlgorithm middle, KeyAlgorithm bottom)
    {
        using var root = PostQuantum.Root(top);
        using var issuing = PostQuantum.Below(root, middle);
        using var good = PostQuantum.Client(issuing, bottom);
        using var bad = PostQuantum.Client(issuing, bottom, spec => spec with { CorruptSignature = true });
        using var forged = root.IssueIntermediate(
            "Issuing", spec => spec with { Key = TestKey.Shared(middle, 41), CorruptSignature = true });
        using var below = PostQuantum.Client(forged, bottom);

        TestPaths.Validate(good, TestPaths.Trusting(root)).Reason().Should().Be(PostQuantum.Here(null));
        TestPaths.Validate(bad, TestPaths.Trusting(root)).Reason().Should().Be(PostQuantum.Here(RejectionReason.SignatureInvalid));
        TestPaths.Validate(below, TestPaths.Trusting(root)).Reason().Should().Be(PostQuantum.Here(RejectionReason.SignatureInvalid));
    }

    [Test]
    public void A_key_other_than_the_named_issuers_has_not_signed_whatever_its_kind([Values(Dsa65, Dsa44, P256)] KeyAlgorithm signer)
    {
        using var root = PostQuantum.Root(Dsa65);
        using var forged = PostQuantum.Client(root, P256, spec => spec with { SigningKey = TestKey.Shared(signer, 43) });

        TestPaths.Validate(forged, TestPaths.Trusting(root)).Reason().Should().Be(PostQuantum.Here(RejectionReason.SignatureInvalid));
    }

    [Test]
    public void Where_the_platform_has_none_the_rejection_says_so_and_does_not_call_it_weak()
    {
        using var root = PostQuantum.Root(P256);
        using var leaf = PostQuantum.Client(root, Dsa65);

        var rejection = TestPaths.Validate(leaf, TestPaths.Trusting(root)).Rejection;

        if (PostQuantum.IsHere)
        {
            rejection.Should().BeNull();
        }
        else
        {
            rejection!.ToString().Should().Contain("ML-DSA-65").And.Contain("OpenSSL 3.5").And.NotContain("weak");
        }
    }

    [TestCase(Dsa44, 256, null)]
    [TestCase(Dsa44, 384, RejectionReason.WeakSignature)]
    [TestCase(Dsa65, 384, null)]
    [TestCase(Dsa65, 512, RejectionReason.WeakSignature)]
    [TestCase(Dsa87, 512, null)]
    public void A_set_counts_as_a_hash_of_its_strength(KeyAlgorithm set, int atLeast, RejectionReason? expected)
    {
        using var root = PostQuantum.Root(set);
        using var leaf = PostQuantum.Client(root, P256);

        TestPaths.Validate(leaf, TestPaths.Trusting(root), ValidationProfile.MutualTls with { MinimumHashBits = atLeast }).Reason()
            .Should().Be(PostQuantum.Here(expected));
    }

    [TestCase("2.16.840.1.101.3.4.3.17", 1312, false, "ML-DSA-44")]
    [TestCase("2.16.840.1.101.3.4.3.17", 1311, false, "malformed")]
    [TestCase("2.16.840.1.101.3.4.3.17", 1952, false, "malformed")]
    [TestCase("2.16.840.1.101.3.4.3.18", 1952, false, "ML-DSA-65")]
    [TestCase("2.16.840.1.101.3.4.3.18", 1952, true, "malformed")]
    [TestCase("2.16.840.1.101.3.4.3.19", 2592, false, "ML-DSA-87")]
    [TestCase("2.16.840.1.101.3.4.3.19", 2593, false, "malformed")]
    [TestCase("2.16.840.1.101.3.4.3.32", 1312, false, "unknown")]
    public void A_key_has_the_length_of_its_set_and_no_parameters(string algorithm, int length, bool withNull, string what)
    {
        using var root = PostQuantum.Root(P256);
        using var leaf = PostQuantum.Client(root, P256, spec => spec with { RawPublicKey = Key(algorithm, length, withNull) });

        TestPaths.Validate(leaf, TestPaths.Trusting(root)).Reason().Should().Be(what switch
        {
            "malformed" => RejectionReason.WeakKey, // the reason for keys that are no keys
            "unknown" => RejectionReason.AlgorithmNotSupported,
            _ => PostQuantum.Here(null),
        });
    }

    [Test]
    public void To_the_letter_of_the_RFC_such_a_key_is_for_signatures_alone([Values] bool encipher)
    {
        using var root = PostQuantum.Root(P256);
        var usage = X509KeyUsageFlags.DigitalSignature | (encipher ? X509KeyUsageFlags.KeyEncipherment : X509KeyUsageFlags.None);
        using var leaf = PostQuantum.Client(root, Dsa65, spec => spec with { KeyUsage = usage });

        TestPaths.Validate(leaf, TestPaths.Trusting(root)).Reason().Should().Be(PostQuantum.Here(null));
        TestPaths.Validate(leaf, TestPaths.Trusting(root), ValidationProfile.Rfc5280).Reason()
            .Should().Be(PostQuantum.Here(encipher ? RejectionReason.ProfileViolated : null));
    }

    // A failed check with ML-DSA-87 costs 6, and the path has one signature more.
    [TestCase(5, RejectionReason.BudgetExceeded)]
    [TestCase(6, RejectionReason.SignatureInvalid)]
    public void A_failed_check_is_paid_for_as_much_as_it_costs(int budget, RejectionReason expected)
    {
        using var root = PostQuantum.Root(Dsa87);
        using var bad = PostQuantum.Client(root, P256, spec => spec with { CorruptSignature = true });
        var profile = ValidationProfile.MutualTls with { Budget = new ValidationBudget { SignatureChecks = budget } };

        TestPaths.Validate(bad, TestPaths.Trusting(root), profile).Reason().Should().Be(PostQuantum.Here(expected));
    }

    [Test]
    public void A_list_revokes_and_a_forged_one_says_nothing([Values(Dsa44, Dsa65, Dsa87)] KeyAlgorithm set)
    {
        using var root = PostQuantum.Root(set);
        using var good = PostQuantum.Client(root, P256);
        using var bad = PostQuantum.Client(root, P256);
        root.Revoke(bad);
        var genuine = RevocationLists.FromDer(root.IssueCrl().Raw);
        var forged = RevocationLists.FromDer(root.IssueCrl(spec => spec with { SigningKey = TestKey.Shared(set, 44) }).Raw);

        Judge(root, good, genuine).Should().Be(PostQuantum.Here(null));
        Judge(root, bad, genuine).Should().Be(PostQuantum.Here(RejectionReason.CertificateRevoked));
        Judge(root, good, forged).Should().Be(PostQuantum.Here(RejectionReason.RevocationStatusUnknown));
    }

    [Test]
    public async Task A_responder_is_believed_about_good_and_revoked_and_a_forger_about_neither(
        [Values(Dsa44, Dsa87)] KeyAlgorithm set, CancellationToken cancellationToken)
    {
        using var root = PostQuantum.Root(set);
        using var good = PostQuantum.Client(root, P256);
        using var bad = PostQuantum.Client(root, P256);
        root.Revoke(bad);
        var judge = new OcspJudge(OcspNonce.IfEchoed, TimeSpan.FromMinutes(1), ValidationProfile.MutualTls);
        await Task.CompletedTask.WaitAsync(cancellationToken);

        Ask(good, spec => spec).Should().Be((PostQuantum.IsHere ? "Good" : "none"));
        Ask(bad, spec => spec).Should().Be((PostQuantum.IsHere ? "Revoked" : "none"));
        Ask(bad, spec => spec with { CorruptSignature = true }).Should().Be("none");

        string Ask(TestCertificate about, Func<MutualAuth.Testing.Revocation.OcspSpec, MutualAuth.Testing.Revocation.OcspSpec> change)
        {
            var question = new OcspQuestion(about.Read(), root.Read(), OcspHash.Sha1);
            var verdict = judge.Judge(question, root.IssueOcspResponse(about, change), DateTimeOffset.UtcNow, responderLists: null);
            return verdict.Flaw is null ? verdict.Status.ToString()! : "none";
        }
    }

    [Test]
    public void A_peer_that_has_signed_itself_is_known_by_its_key()
    {
        var key = TestKey.Shared(Dsa65, 45);
        using var alice = SelfSigned.Issue("alice", spec => spec with { Key = key, SigningKey = key });
        using var tampered = SelfSigned.Issue("alice", spec => spec with { Key = key, SigningKey = key, CorruptSignature = true });
        var trust = KnownPeers.TrustOnFirstUse(new KnownPeersInMemory());

        Judge(trust, alice).Should().Be(PostQuantum.Here(null));
        Judge(trust, tampered).Should().Be(PostQuantum.Here(RejectionReason.SignatureInvalid));
    }

    [Test]
    public void Pins_and_deny_lists_know_such_keys()
    {
        using var root = PostQuantum.Root(Dsa65);
        using var leaf = PostQuantum.Client(root, Dsa44);
        var its = SpkiPin.OfSubjectPublicKeyInfo(leaf.Key.SubjectPublicKeyInfo.Span);
        var another = SpkiPin.OfSubjectPublicKeyInfo(TestKey.Shared(Dsa44, 46).SubjectPublicKeyInfo.Span);
        var options = Options(root.ToTrustAnchors());

        Judge(options with { Pins = PinSet.Of(its, another) }, leaf).Should().Be(PostQuantum.Here(null));
        Judge(options with { Pins = PinSet.DangerouslyWithoutBackup(another) }, leaf).Should().Be(PostQuantum.Here(RejectionReason.PinMismatch));
        Judge(options with { DenyList = DenyList.Of(DenyEntry.Key(another)) }, leaf).Should().Be(PostQuantum.Here(null));
        Judge(options with { DenyList = DenyList.Of(DenyEntry.Key(its)) }, leaf).Should().Be(PostQuantum.Here(RejectionReason.DenyListed));
        Judge(options with { DenyList = DenyList.Of(DenyEntry.Certificate(leaf.Read())) }, leaf)
            .Should().Be(PostQuantum.Here(RejectionReason.DenyListed));
    }

    private static byte[] Key(string algorithm, int length, bool withNull) => DerEdit.Encode(writer =>
    {
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(algorithm);
                if (withNull)
                {
                    writer.WriteNull();
                }
            }

            writer.WriteBitString(new byte[length]);
        }
    });

    private static CertificateStageOptions Options(ITrustSource trust) =>
        new() { Trust = trust, Authorization = Authorize.AnyTrustedPeer };

    private static RejectionReason? Judge(TestAuthority root, TestCertificate peer, RevocationLists lists) =>
        Judge(Options(root.ToTrustAnchors()) with { Revocation = new RevocationPolicy { Lists = lists } }, peer);

    private static RejectionReason? Judge(ITrustSource trust, TestCertificate peer) => Judge(Options(trust), peer);

    private static RejectionReason? Judge(CertificateStageOptions options, TestCertificate peer) => RevocationWorld.RejectionOf(
        new CertificateStage(options).Judge(
            new PeerEvidence(PeerRole.Client, [peer.RawCertificate, .. peer.RawChain]), DateTimeOffset.UtcNow))?.Reason;
}
