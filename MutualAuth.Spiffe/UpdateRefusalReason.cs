namespace MutualAuth.Spiffe;

/// <summary>Why an update, or a part of it, was rejected. Values are stable.</summary>
public enum UpdateRefusalReason
{
    /// <summary>The update has no identity.</summary>
    NoIdentity = 1,

    /// <summary>No identity has the SPIFFE ID or the hint that was asked for.</summary>
    IdentityNotFound = 2,

    /// <summary>There are more identities, certificates, trust domains or revocation lists than <see cref="UpdateLimits"/> allows.</summary>
    TooMany = 3,

    /// <summary>The SPIFFE ID of a workload or of a trust domain is malformed.</summary>
    SpiffeIdMalformed = 4,

    /// <summary>The certificates are not readable DER, or there are none.</summary>
    CertificateMalformed = 5,

    /// <summary>The certificate is not an X.509-SVID, or it or the token carries another SPIFFE ID than the update states.</summary>
    SpiffeIdMismatch = 6,

    /// <summary>The private key cannot be read, or is not the certificate's.</summary>
    KeyMismatch = 7,

    /// <summary>The certificate or the token has expired.</summary>
    Expired = 8,

    /// <summary>A bundle contains something other than certificates of authorities.</summary>
    BundleWithoutAuthority = 9,

    /// <summary>One trust domain has two different bundles.</summary>
    BundlesDisagree = 10,

    /// <summary>The bundle of our own trust domain does not verify our certificate, so that no peer would accept it.</summary>
    NotVouchedFor = 11,

    /// <summary>A revocation list cannot be read, or cannot be used.</summary>
    RevocationListMalformed = 12,

    /// <summary>The update has no key set of any trust domain.</summary>
    NoBundle = 13,

    /// <summary>A key set cannot be read, holds a private key, or has keys of which none counts for JWT-SVIDs.</summary>
    KeySetMalformed = 14,

    /// <summary>The token is not a JWT-SVID that can be sent.</summary>
    TokenMalformed = 15,

    /// <summary>The token is for other audiences than those that were asked for, or for more.</summary>
    AudienceMismatch = 16,
}
