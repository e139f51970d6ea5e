namespace MutualAuth.Testing;

/// <summary>The kinds of key that a test certificate may carry.</summary>
public enum KeyAlgorithm
{
    /// <summary>ECDSA on NIST P-256: the default, and the cheapest.</summary>
    EcdsaP256 = 1,

    /// <summary>ECDSA on NIST P-384.</summary>
    EcdsaP384 = 2,

    /// <summary>ECDSA on NIST P-521.</summary>
    EcdsaP521 = 3,

    /// <summary>RSA of 1024 bits: too weak for anything but a test that expects a refusal.</summary>
    Rsa1024 = 11,

    /// <summary>RSA of 2048 bits.</summary>
    Rsa2048 = 12,

    /// <summary>RSA of 3072 bits. Slow to make: see <see cref="TestKey.Shared"/>.</summary>
    Rsa3072 = 13,

    /// <summary>RSA of 4096 bits. Very slow to make: see <see cref="TestKey.Shared"/>.</summary>
    Rsa4096 = 14,

    /// <summary>Ed25519 (RFC 8410), which <c>SslStream</c> cannot present.</summary>
    Ed25519 = 21,

    /// <summary>ML-DSA-44 (FIPS 204, RFC 9881), which <c>SslStream</c> can present where the platform has it: OpenSSL 3.5 on Linux.</summary>
    MLDsa44 = 31,

    /// <summary>ML-DSA-65 (FIPS 204, RFC 9881), which <c>SslStream</c> can present where the platform has it: OpenSSL 3.5 on Linux.</summary>
    MLDsa65 = 32,

    /// <summary>ML-DSA-87 (FIPS 204, RFC 9881), which <c>SslStream</c> can present where the platform has it: OpenSSL 3.5 on Linux.</summary>
    MLDsa87 = 33,
}
