using System.Globalization;

namespace MutualAuth.Platforms;

/// <summary>What is known of <see cref="TlsSignatureScheme"/>s.</summary>
public static class TlsSignatureSchemes
{
    /// <summary>The name in the registry, such as <c>rsa_pss_rsae_sha256</c>; <c>0x0a0b</c> for a scheme without a name here.</summary>
    public static string ToText(this TlsSignatureScheme scheme) => scheme switch
    {
        TlsSignatureScheme.RsaPssRsaeSha256 or TlsSignatureScheme.RsaPssRsaeSha384 or TlsSignatureScheme.RsaPssRsaeSha512 =>
            "rsa_pss_rsae_" + HashOf(scheme),
        TlsSignatureScheme.RsaPssPssSha256 or TlsSignatureScheme.RsaPssPssSha384 or TlsSignatureScheme.RsaPssPssSha512 =>
            "rsa_pss_pss_" + HashOf(scheme),
        TlsSignatureScheme.EcdsaBrainpoolP256r1Tls13Sha256 => "ecdsa_brainpoolP256r1tls13_sha256",
        TlsSignatureScheme.EcdsaBrainpoolP384r1Tls13Sha384 => "ecdsa_brainpoolP384r1tls13_sha384",
        TlsSignatureScheme.EcdsaBrainpoolP512r1Tls13Sha512 => "ecdsa_brainpoolP512r1tls13_sha512",
        TlsSignatureScheme.EcdsaSecp256r1Sha256 => "ecdsa_secp256r1_sha256",
        TlsSignatureScheme.EcdsaSecp384r1Sha384 => "ecdsa_secp384r1_sha384",
        TlsSignatureScheme.EcdsaSecp521r1Sha512 => "ecdsa_secp521r1_sha512",
        TlsSignatureScheme.RsaPkcs1Sha1 or TlsSignatureScheme.RsaPkcs1Sha224 or TlsSignatureScheme.RsaPkcs1Sha256
            or TlsSignatureScheme.RsaPkcs1Sha384 or TlsSignatureScheme.RsaPkcs1Sha512 => "rsa_pkcs1_" + HashOf(scheme),
        TlsSignatureScheme.EcdsaSha1 or TlsSignatureScheme.EcdsaSha224 => "ecdsa_" + HashOf(scheme),
        TlsSignatureScheme.DsaSha1 or TlsSignatureScheme.DsaSha224 or TlsSignatureScheme.DsaSha256 or TlsSignatureScheme.DsaSha384
            or TlsSignatureScheme.DsaSha512 => "dsa_" + HashOf(scheme),
        _ when Enum.IsDefined(scheme) => scheme.ToString().ToLowerInvariant(),
        _ => string.Create(CultureInfo.InvariantCulture, $"0x{(int)scheme:x4}"),
    };

    private static string HashOf(TlsSignatureScheme scheme)
    {
        var name = scheme.ToString();
        return name[name.LastIndexOf("Sha", StringComparison.Ordinal)..].ToLowerInvariant();
    }
}
