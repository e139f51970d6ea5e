namespace MutualAuth;

/// <summary>A group of TLS's key exchange, by its number in the registry of supported groups (RFC 8446 §4.2.7, RFC 8422, RFC 7919).</summary>
/// <remarks>
/// The three hybrids combine an elliptic curve with ML-KEM (FIPS 203): an attacker who records the connection and breaks the curve later still does
/// not read it. A group that has no name here stands as its number.
/// </remarks>
public enum KeyExchangeGroup
{
    /// <summary>secp256r1, which is NIST P-256.</summary>
    Secp256r1 = 0x0017,

    /// <summary>secp384r1, which is NIST P-384.</summary>
    Secp384r1 = 0x0018,

    /// <summary>secp521r1, which is NIST P-521.</summary>
    Secp521r1 = 0x0019,

    /// <summary>x25519 (RFC 7748).</summary>
    X25519 = 0x001d,

    /// <summary>x448 (RFC 7748).</summary>
    X448 = 0x001e,

    /// <summary>brainpoolP256r1, TLS 1.2 (RFC 7027).</summary>
    BrainpoolP256r1 = 0x001a,

    /// <summary>brainpoolP384r1, TLS 1.2 (RFC 7027).</summary>
    BrainpoolP384r1 = 0x001b,

    /// <summary>brainpoolP512r1, TLS 1.2 (RFC 7027).</summary>
    BrainpoolP512r1 = 0x001c,

    /// <summary>brainpoolP256r1tls13 (RFC 8734).</summary>
    BrainpoolP256r1Tls13 = 0x001f,

    /// <summary>brainpoolP384r1tls13 (RFC 8734).</summary>
    BrainpoolP384r1Tls13 = 0x0020,

    /// <summary>brainpoolP512r1tls13 (RFC 8734).</summary>
    BrainpoolP512r1Tls13 = 0x0021,

    /// <summary>ffdhe2048 (RFC 7919). Servers of this library do not accept it.</summary>
    Ffdhe2048 = 0x0100,

    /// <summary>ffdhe3072 (RFC 7919). Servers of this library do not accept it.</summary>
    Ffdhe3072 = 0x0101,

    /// <summary>ffdhe4096 (RFC 7919). Servers of this library do not accept it.</summary>
    Ffdhe4096 = 0x0102,

    /// <summary>ffdhe6144 (RFC 7919). Servers of this library do not accept it.</summary>
    Ffdhe6144 = 0x0103,

    /// <summary>ffdhe8192 (RFC 7919). Servers of this library do not accept it.</summary>
    Ffdhe8192 = 0x0104,

    /// <summary>MLKEM512 alone.</summary>
    MLKem512 = 0x0200,

    /// <summary>MLKEM768 alone.</summary>
    MLKem768 = 0x0201,

    /// <summary>MLKEM1024 alone; what CNSA 2.0 asks for.</summary>
    MLKem1024 = 0x0202,

    /// <summary>SecP256r1MLKEM768: NIST P-256 and ML-KEM-768.</summary>
    SecP256r1MLKem768 = 0x11eb,

    /// <summary>X25519MLKEM768: x25519 and ML-KEM-768; what OpenSSL 3.5 offers first.</summary>
    X25519MLKem768 = 0x11ec,

    /// <summary>SecP384r1MLKEM1024: NIST P-384 and ML-KEM-1024.</summary>
    SecP384r1MLKem1024 = 0x11ed,
}
