namespace MutualAuth.Ocsp;

/// <summary>
/// The hash by which a request names the issuer of the certificate that it asks about (RFC 6960 §4.1.1). Nothing's integrity rests on it.
/// </summary>
public enum OcspHash
{
    /// <summary>SHA-1, which every responder understands (RFC 5019 §2.1.1).</summary>
    Sha1 = 1,

    /// <summary>SHA-256, which newer responders understand.</summary>
    Sha256 = 2,
}
