namespace MutualAuth.Spiffe;

/// <summary>Why an update, or a part of it, was not taken. Values are stable.</summary>
public enum UpdateRefusalReason
{
    /// <summary>The update has no identity.</summary>
    NoIdentity = 1,

    /// <summary>No identity has the SPIFFE ID or the hint that <see cref="X509SourceOptions"/> ask for.</summary>
    IdentityNotFound = 2,

    /// <summary>There are more identities, certificates, trust domains or revocation lists than <see cref="UpdateLimits"/> allows.</summary>
    TooMany = 3,

    /// <summary>What should be the SPIFFE ID of a workload or of a trust domain is none.</summary>
    SpiffeIdMalformed = 4,

    /// <summary>What should be certificates in DER cannot be read, or is empty.</summary>
    CertificateMalformed = 5,

    /// <summary>The certificate is no X.509-SVID, or carries another SPIFFE ID than the update says.</summary>
    SpiffeIdMismatch = 6,

    /// <summary>The private key cannot be read, or is not the certificate's.</summary>
    KeyMismatch = 7,

    /// <summary>The certificate has expired.</summary>
    Expired = 8,

    /// <summary>A bundle holds something else than certificates of authorities.</summary>
    BundleWithoutAuthority = 9,

    /// <summary>One trust domain comes with two different bundles.</summary>
    BundlesDisagree = 10,

    /// <summary>The bundle of our own trust domain does not vouch for our certificate, so that no peer would accept it.</summary>
    NotVouchedFor = 11,

    /// <summary>A revocation list cannot be read, or must not be relied on.</summary>
    RevocationListMalformed = 12,
}
