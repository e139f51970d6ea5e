using MutualAuth.Asn1;
using MutualAuth.Certificates;

namespace MutualAuth.Paths;

/// <summary>Which keys and signature algorithms are strong enough, supported by the platform, and permitted by the profile.</summary>
internal static class KeyRules
{
    private const int MaximumRsaBits = 8192;

    internal static Rejection? Examine(Certificate certificate, PathPosition position, ValidationProfile profile) =>
        ExamineKey(certificate, position, profile)

        // A trust anchor is trusted as it is (RFC 5280 §6.1): its own signature does not matter.
        ?? (position == PathPosition.Anchor ? null : ExamineSignature(certificate, position, profile));

    /// <summary>Why a signature on a list or on a responder's answer does not count here, as text; null when it may.</summary>
    internal static string? FlawOf(SignatureScheme scheme, ValidationProfile profile) =>
        scheme.Kind == SignatureKind.NotAccepted ? "that is signed neither with RSA or ECDSA and SHA-2 nor with ML-DSA"
        : !scheme.IsVerifiableHere ? $"that is signed with {scheme.MLDsa?.Name}, which cannot be verified here: {MLDsaSet.Missing}"
        : scheme.HashBits < profile.MinimumHashBits
        ? scheme.MLDsa is { } set
            ? $"that is signed with {set.Name}, which counts as a hash of {set.HashBits} bits"
            : $"that is signed with SHA-2 of {scheme.HashBits} bits"
        : profile.Algorithms is { } suite && !suite.Permits(scheme) ? $"that is not signed with what {suite.Name} permits"
        : null;

    private static Rejection? ExamineKey(Certificate certificate, PathPosition position, ValidationProfile profile)
    {
        const string Rule = "RFC 5280 §4.1.2.7, RFC 8017, RFC 5480, RFC 9881";
        var key = certificate.PublicKey;
        if (Expected(key, profile) is { } expected)
        {
            return PathRejection.Make(
                key.IsVerifiableHere || key.Kind == PublicKeyKind.NotAccepted ? RejectionReason.WeakKey : RejectionReason.AlgorithmNotSupported,
                certificate,
                position,
                Rule,
                expected,
                key.HasSoundNumbers ? key.Description : $"{key.Description} that is not a valid key",
                key.MLDsa is null ? null : HintWithoutMLDsa);
        }

        return profile.Algorithms is { } suite && !suite.Permits(key)
            ? PathRejection.Make(
                RejectionReason.AlgorithmNotPermitted,
                certificate,
                position,
                suite.Rule,
                $"a key that {suite.Name} permits: {string.Join(", ", suite.Keys)}",
                key.Description,
                HintOf(suite))
            : null;
    }

    private static Rejection? ExamineSignature(Certificate certificate, PathPosition position, ValidationProfile profile)
    {
        // An algorithm that is not accepted has no bits.
        var scheme = certificate.Scheme;
        if (scheme.HashBits < profile.MinimumHashBits || !scheme.IsVerifiableHere)
        {
            var isPss = certificate.SignatureAlgorithm.Span.IndexOf(Oids.RsaPss) >= 0;
            var isKnown = scheme.MLDsa is { } ? scheme.IsVerifiableHere : !SignatureScheme.IsOfAnotherFamily(certificate.SignatureAlgorithm);
            return PathRejection.Make(
                isKnown ? RejectionReason.WeakSignature : RejectionReason.AlgorithmNotSupported,
                certificate,
                position,
                "RFC 5758, RFC 4055, RFC 9881",
                $"a signature by RSA or ECDSA with SHA-2 of at least {profile.MinimumHashBits} bits{OrMLDsa(profile.MinimumHashBits)}",
                SignatureScheme.Describe(certificate.SignatureAlgorithm),
                isPss ? "With RSASSA-PSS the salt is as long as the hash: openssl -sigopt rsa_pss_saltlen:digest."
                    : scheme.MLDsa is not null && !scheme.IsVerifiableHere ? HintWithoutMLDsa
                    : null);
        }

        return profile.Algorithms is { } suite && !suite.Permits(scheme)
            ? PathRejection.Make(
                RejectionReason.AlgorithmNotPermitted,
                certificate,
                position,
                suite.Rule,
                $"a signature that {suite.Name} permits: {string.Join(", ", suite.Signatures)}",
                scheme.MLDsa is { } set ? set.Name : $"{NameOf(scheme.Kind)} with {scheme.Hash.Name}",
                HintOf(suite))
            : null;
    }

    private static string? Expected(PublicKeyInfo key, ValidationProfile profile)
    {
        switch (key.Kind)
        {
            case PublicKeyKind.Rsa when key.RsaBits < profile.MinimumRsaBits || key.RsaBits > MaximumRsaBits || key.RsaBits % 8 != 0:
                return $"an RSA key of {profile.MinimumRsaBits} to {MaximumRsaBits} bits, a multiple of 8";
            case PublicKeyKind.Rsa when !key.HasSoundRsaExponent:
                return "an RSA key with an odd public exponent from 3 up to 64 bits";
            case PublicKeyKind.P256 when profile.MinimumCurveBits > 256:
            case PublicKeyKind.P384 when profile.MinimumCurveBits > 384:
                return $"an elliptic curve key of at least {profile.MinimumCurveBits} bits";
            case PublicKeyKind.NotAccepted:
            case var _ when !key.IsVerifiableHere:
                return $"an RSA key, or one on the named curve P-256, P-384 or P-521{OrMLDsa(hashBits: 256)}";
            case PublicKeyKind.Rsa when !key.HasSoundNumbers:
                return "an RSA key with an odd modulus";
            case PublicKeyKind.P256 or PublicKeyKind.P384 or PublicKeyKind.P521 when !key.HasSoundNumbers:
                return "an elliptic curve key that is a point of its curve";
            default:
                return null;
        }
    }

    private static string? OrMLDsa(int hashBits) => !System.Security.Cryptography.MLDsa.IsSupported ? null
        : hashBits switch { <= 256 => ", or ML-DSA", <= 384 => ", or ML-DSA-65 or -87", _ => ", or ML-DSA-87" };

    private static string HintWithoutMLDsa => $"It may be strong, and it cannot be verified here: {MLDsaSet.Missing}. Until then, ECDSA.";

    private static string HintOf(AlgorithmSuite suite) =>
        $"Have it issued again with what {suite.Name} permits, or leave ValidationProfile.Algorithms out where that is not prescribed.";

    private static string NameOf(SignatureKind kind) => kind switch
    {
        SignatureKind.RsaPkcs1 => "RSA",
        SignatureKind.RsaPss => "RSASSA-PSS",
        _ => "ECDSA",
    };
}
