namespace MutualAuth.Factors;

/// <summary>The hash of the HMAC that makes one-time codes (RFC 6238 §1.2).</summary>
public enum OneTimeCodeHash
{
    /// <summary>HMAC-SHA-1, the only one that every authenticator app knows. The attacks on SHA-1 do not concern HMAC.</summary>
    Sha1 = 1,

    /// <summary>HMAC-SHA-256.</summary>
    Sha256 = 2,

    /// <summary>HMAC-SHA-512.</summary>
    Sha512 = 3,
}
