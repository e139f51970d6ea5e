namespace MutualAuth.Testing;

/// <summary>The signature algorithms with which a certificate or a CRL may be signed, the broken ones included.</summary>
public enum SignatureAlgorithm
{
    /// <summary>RSA PKCS#1 v1.5 with MD5, which is broken.</summary>
    RsaMd5 = 1,

    /// <summary>RSA PKCS#1 v1.5 with SHA-1, which is broken.</summary>
    RsaSha1 = 2,

    /// <summary>RSA PKCS#1 v1.5 with SHA-256: the default of RSA keys.</summary>
    RsaSha256 = 3,

    /// <summary>RSA PKCS#1 v1.5 with SHA-384.</summary>
    RsaSha384 = 4,

    /// <summary>RSA PKCS#1 v1.5 with SHA-512.</summary>
    RsaSha512 = 5,

    /// <summary>RSASSA-PSS with SHA-256, MGF1 with the same, and a salt of 32 octets (RFC 4055).</summary>
    RsaPssSha256 = 13,

    /// <summary>RSASSA-PSS with SHA-384, MGF1 with the same, and a salt of 48 octets (RFC 4055).</summary>
    RsaPssSha384 = 14,

    /// <summary>RSASSA-PSS with SHA-512, MGF1 with the same, and a salt of 64 octets (RFC 4055).</summary>
    RsaPssSha512 = 15,

    /// <summary>ECDSA with SHA-1, which is broken.</summary>
    EcdsaSha1 = 22,

    /// <summary>ECDSA with SHA-256: the default of P-256.</summary>
    EcdsaSha256 = 23,

    /// <summary>ECDSA with SHA-384: the default of P-384.</summary>
    EcdsaSha384 = 24,

    /// <summary>ECDSA with SHA-512: the default of P-521.</summary>
    EcdsaSha512 = 25,

    /// <summary>Ed25519 (RFC 8410).</summary>
    Ed25519 = 31,

    /// <summary>ML-DSA-44 (RFC 9881).</summary>
    MLDsa44 = 41,

    /// <summary>ML-DSA-65 (RFC 9881).</summary>
    MLDsa65 = 42,

    /// <summary>ML-DSA-87 (RFC 9881).</summary>
    MLDsa87 = 43,
}
