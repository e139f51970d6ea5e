using MutualAuth.Asn1;
using MutualAuth.Certificates;

namespace MutualAuth.Paths;

/// <summary>Which keys and signature algorithms are strong enough, and supported by the platform.</summary>
internal static class KeyRules
{
    private const int MaximumRsaBits = 8192;

    // The arcs of known signature algorithms: PKCS #1, ANSI X9.62, ANSI X9.57 and those of OIW, which include some with SHA-1.
    private static ReadOnlySpan<byte> Pkcs1 => [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
    private static ReadOnlySpan<byte> AnsiEcdsa => [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04];
    private static ReadOnlySpan<byte> AnsiDsa => [0x2a, 0x86, 0x48, 0xce, 0x38, 0x04];
    private static ReadOnlySpan<byte> OiwSignatures => [0x2b, 0x0e, 0x03, 0x02];

    internal static Rejection? Examine(Certificate certificate, PathPosition position, ValidationProfile profile)
    {
        var key = certificate.PublicKey;
        var expected = Expected(key, profile);
        if (expected is not null)
        {
            return PathRejection.Make(
                key.Kind is PublicKeyKind.NotSupported or PublicKeyKind.Ed25519 ? RejectionReason.AlgorithmNotSupported : RejectionReason.WeakKey,
                certificate,
                position,
                "RFC 5280 §4.1.2.7, RFC 8017, RFC 5480",
                expected,
                key.HasSoundNumbers ? key.Description : $"{key.Description} that is not a valid key");
        }

        // A trust anchor is trusted as it is (RFC 5280 §6.1): its own signature does not matter. An algorithm that is not accepted has no bits.
        if (position == PathPosition.Anchor || certificate.Scheme.HashBits >= profile.MinimumHashBits)
        {
            return null;
        }

        var isPss = certificate.SignatureAlgorithm.Span.IndexOf(Oids.RsaPss) >= 0;
        return PathRejection.Make(
            IsOfAnotherFamily(certificate.SignatureAlgorithm) ? RejectionReason.AlgorithmNotSupported : RejectionReason.WeakSignature,
            certificate,
            position,
            "RFC 5758, RFC 4055",
            $"a signature by RSA or ECDSA with SHA-2 of at least {profile.MinimumHashBits} bits",
            SignatureScheme.Describe(certificate.SignatureAlgorithm),
            isPss ? "With RSASSA-PSS the salt is as long as the hash: openssl -sigopt rsa_pss_saltlen:digest." : null);
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
            case PublicKeyKind.Ed25519:
            case PublicKeyKind.NotSupported:
            case PublicKeyKind.NotAccepted:
                return "an RSA key, or one on the named curve P-256, P-384 or P-521";
            case PublicKeyKind.Rsa when !key.HasSoundNumbers:
                return "an RSA key with an odd modulus";
            case PublicKeyKind.P256 or PublicKeyKind.P384 or PublicKeyKind.P521 when !key.HasSoundNumbers:
                return "an elliptic curve key that is a point of its curve";
            default:
                return null;
        }
    }

    /// <summary>Whether the algorithm is neither RSA nor ECDSA nor DSA; then it is unsupported rather than weak.</summary>
    private static bool IsOfAnotherFamily(ReadOnlyMemory<byte> algorithmIdentifier)
    {
        try
        {
            var id = new DerReader(algorithmIdentifier).ReadSequence().ReadOid().Span;
            return !id.StartsWith(Pkcs1) && !id.StartsWith(AnsiEcdsa) && !id.StartsWith(AnsiDsa) && !id.StartsWith(OiwSignatures);
        }
        catch (System.Formats.Asn1.AsnContentException)
        {
            return false;
        }
    }
}
