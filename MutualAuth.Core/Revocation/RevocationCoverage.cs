namespace MutualAuth.Revocation;

/// <summary>Of which certificates the revocation status must be known. What is known to be revoked is rejected wherever it stands.</summary>
public enum RevocationCoverage
{
    /// <summary>Of every certificate of the path but the trust anchor's.</summary>
    EveryCertificate = 0,

    /// <summary>Of the peer's own certificate only: an intermediate authority about which no list speaks is let pass.</summary>
    LeafOnly = 1,

    /// <summary>
    /// Of the intermediate authorities only: for peers whose own certificate is checked in another way, for example by an OCSP responder.
    /// </summary>
    AuthoritiesOnly = 2,
}
