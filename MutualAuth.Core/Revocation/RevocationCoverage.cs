namespace MutualAuth.Revocation;

/// <summary>Which certificates must have a known revocation status. A revoked certificate is rejected wherever it is in the path.</summary>
public enum RevocationCoverage
{
    /// <summary>Every certificate of the path except the trust anchor's.</summary>
    EveryCertificate = 1,

    /// <summary>The peer's own certificate only: an intermediate authority that no list covers is accepted.</summary>
    LeafOnly = 2,

    /// <summary>The intermediate authorities only: for peers whose own certificate is checked by other means, such as an OCSP responder.</summary>
    AuthoritiesOnly = 3,
}
