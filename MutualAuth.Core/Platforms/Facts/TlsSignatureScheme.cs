namespace MutualAuth.Platforms;

/// <summary>A signature of TLS, by its number in the registry of signature schemes (RFC 8446 §4.2.3).</summary>
/// <remarks>
/// TLS 1.2 writes pairs of hash and key in the same octets (RFC 5246 §7.4.1.4.1): there <see cref="EcdsaSecp256r1Sha256"/> is ECDSA with SHA-256 on
/// any curve. A number without a name here stands as it is.
/// </remarks>
public enum TlsSignatureScheme
{
    /// <summary>rsa_pkcs1_sha1.</summary>
    RsaPkcs1Sha1 = 0x0201,

    /// <summary>dsa_sha1, of TLS 1.2.</summary>
    DsaSha1 = 0x0202,

    /// <summary>ecdsa_sha1.</summary>
    EcdsaSha1 = 0x0203,

    /// <summary>rsa_pkcs1_sha224, of TLS 1.2.</summary>
    RsaPkcs1Sha224 = 0x0301,

    /// <summary>dsa_sha224, of TLS 1.2.</summary>
    DsaSha224 = 0x0302,

    /// <summary>ecdsa_sha224, of TLS 1.2.</summary>
    EcdsaSha224 = 0x0303,

    /// <summary>rsa_pkcs1_sha256.</summary>
    RsaPkcs1Sha256 = 0x0401,

    /// <summary>dsa_sha256, of TLS 1.2.</summary>
    DsaSha256 = 0x0402,

    /// <summary>ecdsa_secp256r1_sha256.</summary>
    EcdsaSecp256r1Sha256 = 0x0403,

    /// <summary>rsa_pkcs1_sha384.</summary>
    RsaPkcs1Sha384 = 0x0501,

    /// <summary>dsa_sha384, of TLS 1.2.</summary>
    DsaSha384 = 0x0502,

    /// <summary>ecdsa_secp384r1_sha384.</summary>
    EcdsaSecp384r1Sha384 = 0x0503,

    /// <summary>rsa_pkcs1_sha512.</summary>
    RsaPkcs1Sha512 = 0x0601,

    /// <summary>dsa_sha512, of TLS 1.2.</summary>
    DsaSha512 = 0x0602,

    /// <summary>ecdsa_secp521r1_sha512.</summary>
    EcdsaSecp521r1Sha512 = 0x0603,

    /// <summary>rsa_pss_rsae_sha256: PSS with an ordinary RSA key.</summary>
    RsaPssRsaeSha256 = 0x0804,

    /// <summary>rsa_pss_rsae_sha384: PSS with an ordinary RSA key.</summary>
    RsaPssRsaeSha384 = 0x0805,

    /// <summary>rsa_pss_rsae_sha512: PSS with an ordinary RSA key.</summary>
    RsaPssRsaeSha512 = 0x0806,

    /// <summary>ed25519.</summary>
    Ed25519 = 0x0807,

    /// <summary>ed448.</summary>
    Ed448 = 0x0808,

    /// <summary>rsa_pss_pss_sha256: PSS with a key that is for nothing else.</summary>
    RsaPssPssSha256 = 0x0809,

    /// <summary>rsa_pss_pss_sha384: PSS with a key that is for nothing else.</summary>
    RsaPssPssSha384 = 0x080a,

    /// <summary>rsa_pss_pss_sha512: PSS with a key that is for nothing else.</summary>
    RsaPssPssSha512 = 0x080b,

    /// <summary>ecdsa_brainpoolP256r1tls13_sha256 (RFC 8734).</summary>
    EcdsaBrainpoolP256r1Tls13Sha256 = 0x081a,

    /// <summary>ecdsa_brainpoolP384r1tls13_sha384 (RFC 8734).</summary>
    EcdsaBrainpoolP384r1Tls13Sha384 = 0x081b,

    /// <summary>ecdsa_brainpoolP512r1tls13_sha512 (RFC 8734).</summary>
    EcdsaBrainpoolP512r1Tls13Sha512 = 0x081c,

    /// <summary>mldsa44.</summary>
    MLDsa44 = 0x0904,

    /// <summary>mldsa65.</summary>
    MLDsa65 = 0x0905,

    /// <summary>mldsa87.</summary>
    MLDsa87 = 0x0906,
}
