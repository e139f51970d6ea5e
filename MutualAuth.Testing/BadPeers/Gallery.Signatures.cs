using MutualAuth.Testing.Building;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Crypto.Parameters;

namespace MutualAuth.Testing.BadPeers;

public static partial class Gallery
{
    /// <summary>One bit of the signature is wrong.</summary>
    public static BadPeer CorruptSignature { get; } = BadPeer.Leaf(
        RejectionReason.SignatureInvalid,
        "RFC 5280 §6.1.3 (a)(1)",
        "One bit of its certificate's signature is flipped.",
        (spec, _) => spec with { CorruptSignature = true }).With("CVE-2008-5077, CVE-2014-0092: an error while checking was taken for success");

    /// <summary>Names the trusted root as its issuer, and was signed by another authority.</summary>
    public static BadPeer ForgedIssuer { get; } = BadPeer.Leaf(
        RejectionReason.SignatureInvalid,
        "RFC 5280 §6.1.3 (a)(1)",
        "Its certificate names the trusted root and its key identifier, and another key has signed it.",
        (spec, scene) => spec with { SigningKey = scene.Root.StrangeKey() });

    /// <summary>Changed after it was signed.</summary>
    public static BadPeer NameChangedAfterSigning { get; } = BadPeer.Leaf(
        RejectionReason.SignatureInvalid,
        "RFC 5280 §6.1.3 (a)(1)",
        "Its certificate was issued to another peer; the common name was changed afterwards, and all names are right now.",
        (spec, scene) => spec with
        {
            Subject = Dn.CommonName(new string('x', scene.Name.Length)),
            RewriteCertificate = der => Replace(der, Value(new string('x', scene.Name.Length)), Value(scene.Name)),
        });

    /// <summary>Beneath an intermediate whose signature is wrong.</summary>
    public static BadPeer ForgedIntermediate { get; } = BadPeer.Under(
        RejectionReason.SignatureInvalid,
        "RFC 5280 §6.1.3 (a)(1)",
        "Its intermediate names the trusted root as issuer, and has signed itself in: only who checks every signature of the path notices.",
        (spec, scene) => spec with { SigningKey = scene.Root.StrangeKey() });

    /// <summary>Signed with SHA-1.</summary>
    public static BadPeer Sha1Signature { get; } = BadPeer.Leaf(
        RejectionReason.WeakSignature,
        "RFC 9155; CA/B Baseline Requirements §7.1.3.2",
        "Its certificate is signed over SHA-1, of which collisions can be bought.",
        (spec, scene) => spec with { SignatureAlgorithm = Sha1Of(scene.Root) }).With(
            "SHAttered, 2017; SHA-1 is a Shambles, 2020", demand: RequiredCheck.StrongAlgorithms);

    /// <summary>Signed with MD5.</summary>
    public static BadPeer Md5Signature { get; } = new BadPeer(
        RejectionReason.WeakSignature,
        "RFC 6151",
        "An intermediate with an RSA key has signed its certificate over MD5.",
        scene =>
        {
            var intermediate = scene.Intermediate(spec => spec with { Key = scene.Root.SharedKey(KeyAlgorithm.Rsa2048) });
            return (scene.Leaf(spec => spec with { SignatureAlgorithm = SignatureAlgorithm.RsaMd5 }, intermediate), scene.Leaf(issuer: intermediate));
        }).With("The rogue authority of 2008; Flame, 2012", demand: RequiredCheck.StrongAlgorithms);

    /// <summary>Beneath an intermediate that was signed with SHA-1.</summary>
    public static BadPeer Sha1Intermediate { get; } = BadPeer.Under(
        RejectionReason.WeakSignature,
        "RFC 9155; CA/B Baseline Requirements §7.1.3.2",
        "Its own certificate is signed over SHA-256, but its intermediate over SHA-1.",
        (spec, scene) => spec with { SignatureAlgorithm = Sha1Of(scene.Root) }).With("SHAttered, 2017", demand: RequiredCheck.StrongAlgorithms);

    /// <summary>A key that can be broken.</summary>
    public static BadPeer WeakRsaKey { get; } = BadPeer.Leaf(
        RejectionReason.WeakKey,
        "CA/B Baseline Requirements §6.1.5; NIST SP 800-131A",
        "Its RSA key has 1024 bits.",
        (spec, scene) => spec with { Key = scene.Root.SharedKey(KeyAlgorithm.Rsa1024) },
        (spec, scene) => spec with { Key = scene.Root.SharedKey(KeyAlgorithm.Rsa2048) }).With(
            "Digicert Sdn. Bhd., 2011: keys that could be factored", demand: RequiredCheck.StrongAlgorithms);

    /// <summary>Beneath an intermediate with a key that can be broken.</summary>
    public static BadPeer WeakRsaIntermediate { get; } = BadPeer.Under(
        RejectionReason.WeakKey,
        "CA/B Baseline Requirements §6.1.5; NIST SP 800-131A",
        "Its own key is strong, but its intermediate's is RSA of 1024 bits.",
        (spec, scene) => spec with { Key = scene.Root.SharedKey(KeyAlgorithm.Rsa1024, 1) },
        (spec, scene) => spec with { Key = scene.Root.SharedKey(KeyAlgorithm.Rsa2048, 1) }).With(demand: RequiredCheck.StrongAlgorithms);

    /// <summary>An Ed25519 key, which the platform's TLS cannot present or check.</summary>
    public static BadPeer Ed25519Leaf { get; } = BadPeer.Leaf(
        RejectionReason.AlgorithmNotSupported,
        "RFC 8410; a limit of the platform",
        "Its key is Ed25519: sound, but what cannot be checked must be refused and not let pass.",
        (spec, _) => spec with { KeyAlgorithm = KeyAlgorithm.Ed25519 }).With(demand: RequiredCheck.PlatformLimit);

    /// <summary>A key for HashML-DSA, which certificates may not have.</summary>
    public static BadPeer HashMLDsaLeaf { get; } = BadPeer.Leaf(
        RejectionReason.AlgorithmNotSupported,
        "RFC 9881 §8.3",
        "Its key says that it is for HashML-DSA, the variant over a hash, which has no place in certificates.",
        (spec, scene) => MLDsaKey(spec, scene, 0x20, withParameters: false, cut: 0)).With(needsTls13: true);

    /// <summary>An ML-DSA key with parameters.</summary>
    public static BadPeer MLDsaKeyWithParameters { get; } = BadPeer.Leaf(
        RejectionReason.WeakKey,
        "RFC 9881 §2",
        "Its ML-DSA-44 key has parameters, which must be absent: a second encoding of the same key would pass a list of keys.",
        (spec, scene) => MLDsaKey(spec, scene, 0x11, withParameters: true, cut: 0)).With(needsTls13: true);

    /// <summary>An ML-DSA key that is too short.</summary>
    public static BadPeer MLDsaKeyCutShort { get; } = BadPeer.Leaf(
        RejectionReason.WeakKey,
        "RFC 9881 §4, FIPS 204 §4",
        "One octet of its ML-DSA-44 key is missing.",
        (spec, scene) => MLDsaKey(spec, scene, 0x11, withParameters: false, cut: 1)).With(needsTls13: true);

    /// <summary>One bit of an ML-DSA signature is wrong, in a path of both kinds of algorithm.</summary>
    public static BadPeer ForgedMLDsaSignature { get; } = new BadPeer(
        RejectionReason.SignatureInvalid,
        "RFC 9881 §3",
        "An intermediate with an ML-DSA-65 key, beneath the trusted root, has signed its certificate, and one bit of that signature is flipped.",
        scene =>
        {
            var issuing = scene.Intermediate(spec => spec with { KeyAlgorithm = KeyAlgorithm.MLDsa65 });
            return (
                scene.Leaf(spec => spec with { CorruptSignature = true }, issuing),
                scene.Leaf(issuer: System.Security.Cryptography.MLDsa.IsSupported ? issuing : null));
        }).With(needsMLDsa: true);

    /// <summary>A root of its own making that shares the trusted root's public point.</summary>
    public static BadPeer CurveBall { get; } = new BadPeer(
        RejectionReason.WeakKey,
        "RFC 5480 §2.1.1",
        "It sends a root with the trusted one's name and public point, on a curve of its own making whose generator is that very point, so that the "
            + "private key is 1.",
        scene =>
        {
            var stranger = scene.Stranger(spec => spec with
            {
                Subject = scene.Root.AsCertificate.Spec.Subject,
                Key = CurveBallKey(scene),
                SignatureAlgorithm = SignatureAlgorithm.EcdsaSha256,
            });
            return (scene.WithChain(scene.Leaf(issuer: stranger), stranger.AsCertificate.RawCertificate), scene.Leaf());
        }).With("CVE-2020-0601");

    /// <summary>A key on a curve that is spelt out in place of named.</summary>
    public static BadPeer ExplicitCurve { get; } = BadPeer.Leaf(
        RejectionReason.WeakKey,
        "RFC 5480 §2.1.1",
        "Its key lies on P-256, but the certificate spells the curve's parameters out, which the standard forbids.",
        (spec, scene) => spec with { Key = ExplicitKey(scene) }).With(
            "CVE-2021-3450, CVE-2022-0778: explicit parameters took checks out of their way");

    private static IEnumerable<BadPeer> Signatures =>
    [
        CorruptSignature, ForgedIssuer, NameChangedAfterSigning, ForgedIntermediate, Sha1Signature, Md5Signature, Sha1Intermediate, WeakRsaKey,
        WeakRsaIntermediate,
        Ed25519Leaf, HashMLDsaLeaf, MLDsaKeyWithParameters, MLDsaKeyCutShort, ForgedMLDsaSignature, CurveBall, ExplicitCurve,
    ];

    private static SignatureAlgorithm Sha1Of(TestAuthority authority) =>
        authority.AsCertificate.Key.Algorithm < KeyAlgorithm.Rsa1024 ? SignatureAlgorithm.EcdsaSha1 : SignatureAlgorithm.RsaSha1;

    private static byte[] Replace(byte[] der, byte[] from, byte[] to)
    {
        var at = der.AsSpan().IndexOf(from);
        return [.. der[..at], .. to, .. der[(at + from.Length)..]];
    }

    /// <summary>The value of a common name as it stands in a certificate, with tag and length, so that it is found there alone.</summary>
    private static byte[] Value(string name) => new DerUtf8String(name).GetDerEncoded();

    private static TestKey CurveBallKey(BadPeerBuilder scene)
    {
        if (scene.Root.AsCertificate.Key.Private is not ECPrivateKeyParameters known)
        {
            // With an RSA root there is no point to share; a strange key makes the same exhibit weaker, not wrong.
            return ExplicitKey(scene);
        }

        var point = known.Parameters.G.Multiply(known.D).Normalize();
        var domain = new ECDomainParameters(known.Parameters.Curve, point, known.Parameters.N, known.Parameters.H);
        return new TestKey(KeyAlgorithm.EcdsaP256, new ECPrivateKeyParameters(Org.BouncyCastle.Math.BigInteger.One, domain), deterministic: true);
    }

    /// <summary>An ML-DSA-44 key whose SubjectPublicKeyInfo is written in another way than the standard's.</summary>
    private static CertificateSpec MLDsaKey(CertificateSpec spec, BadPeerBuilder scene, byte algorithm, bool withParameters, int cut)
    {
        var key = scene.Root.SharedKey(KeyAlgorithm.MLDsa44);
        var writer = new System.Formats.Asn1.AsnWriter(System.Formats.Asn1.AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier($"2.16.840.1.101.3.4.3.{algorithm}");
                if (withParameters)
                {
                    writer.WriteNull();
                }
            }

            writer.WriteBitString(key.SubjectPublicKeyInfo.Span[^1312..^cut]);
        }

        return spec with { Key = key, RawPublicKey = writer.Encode() };
    }

    private static TestKey ExplicitKey(BadPeerBuilder scene)
    {
        var named = (ECPrivateKeyParameters)scene.Root.StrangeKey().Private;
        var domain = new ECDomainParameters(named.Parameters.Curve, named.Parameters.G, named.Parameters.N, named.Parameters.H);
        return new TestKey(KeyAlgorithm.EcdsaP256, new ECPrivateKeyParameters(named.D, domain), deterministic: true);
    }
}
