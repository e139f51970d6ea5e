using System.Collections.Immutable;
using System.Security.Cryptography;
using MutualAuth.Asn1;

namespace MutualAuth.Certificates;

/// <summary>A parameter set of ML-DSA (FIPS 204 §4, RFC 9881 §2): one identifier for keys and signatures, no parameters, fixed lengths.</summary>
/// <param name="Key">The kind of its keys.</param>
/// <param name="Signature">The kind of its signatures.</param>
/// <param name="Name">Its name.</param>
/// <param name="HashBits">
/// As what hash its signatures count: their commitment hash has this length, and the categories 2, 3 and 5 of its strength are those of collisions of
/// SHA-256, of a key search on AES-192 and on AES-256.
/// </param>
/// <param name="KeyLength">The length of a public key, in octets.</param>
/// <param name="SignatureLength">The length of a signature, in octets.</param>
/// <param name="CheckCost">The cost of a check, in checks with a P-256 key: measured with OpenSSL 3.5.</param>
internal sealed record MLDsaSet(
    PublicKeyKind Key, SignatureKind Signature, string Name, int HashBits, int KeyLength, int SignatureLength, int CheckCost)
{
    private static readonly ImmutableArray<MLDsaSet> s_all =
    [
        new(PublicKeyKind.MLDsa44, SignatureKind.MLDsa44, "ML-DSA-44", 256, 1312, 2420, 2),
        new(PublicKeyKind.MLDsa65, SignatureKind.MLDsa65, "ML-DSA-65", 384, 1952, 3309, 3),
        new(PublicKeyKind.MLDsa87, SignatureKind.MLDsa87, "ML-DSA-87", 512, 2592, 4627, 6),
    ];

    /// <summary>What a platform without it has in its place, and what it takes; for messages.</summary>
    internal static string Missing { get; } =
        $"the platform has no ML-DSA{PlatformOpenSsl()}: it takes OpenSSL 3.5 or later, such as that of Debian 13";

    internal MLDsaAlgorithm Algorithm => Key switch
    {
        PublicKeyKind.MLDsa44 => MLDsaAlgorithm.MLDsa44,
        PublicKeyKind.MLDsa65 => MLDsaAlgorithm.MLDsa65,
        _ => MLDsaAlgorithm.MLDsa87,
    };

    internal static MLDsaSet? Of(PublicKeyKind key)
    {
        foreach (var set in s_all)
        {
            if (set.Key == key)
            {
                return set;
            }
        }

        return null;
    }

    internal static MLDsaSet? Of(SignatureKind signature)
    {
        foreach (var set in s_all)
        {
            if (set.Signature == signature)
            {
                return set;
            }
        }

        return null;
    }

    /// <summary>The set of an identifier, given as its contents octets; null when it names no set.</summary>
    internal static MLDsaSet? Of(ReadOnlySpan<byte> id) =>
        id.SequenceEqual(Oids.MLDsa44) ? s_all[0] : id.SequenceEqual(Oids.MLDsa65) ? s_all[1] : id.SequenceEqual(Oids.MLDsa87) ? s_all[2] : null;

    private static string? PlatformOpenSsl()
    {
        try
        {
            return OperatingSystem.IsLinux() && SafeEvpPKeyHandle.OpenSslVersion is var version
                ? $" (OpenSSL {version >> 28}.{(version >> 20) & 0xff}.{(version >> 4) & 0xffff})"
                : null;
        }
        catch (Exception exception) when (exception is PlatformNotSupportedException or TypeInitializationException or DllNotFoundException)
        {
            return null;
        }
    }
}
