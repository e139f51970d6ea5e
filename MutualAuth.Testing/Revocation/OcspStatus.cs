namespace MutualAuth.Testing.Revocation;

/// <summary>What an OCSP responder says of a certificate (RFC 6960 §2.2).</summary>
public enum OcspStatus
{
    /// <summary>It is not revoked.</summary>
    Good = 1,

    /// <summary>It is revoked.</summary>
    Revoked = 2,

    /// <summary>The responder does not know it.</summary>
    Unknown = 3,
}
