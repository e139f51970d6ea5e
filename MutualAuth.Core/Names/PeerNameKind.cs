namespace MutualAuth;

/// <summary>The kind of a <see cref="PeerName"/>. Two names of different kinds are never equal, however similar their texts are.</summary>
public enum PeerNameKind
{
    /// <summary>The SPIFFE ID of a valid X.509-SVID. Its text has no prefix.</summary>
    SpiffeId = 1,

    /// <summary>A DNS name, or <c>*.</c> followed by one. Its text has no prefix.</summary>
    Dns = 2,

    /// <summary>An e-mail address (rfc822Name), after <c>email:</c>.</summary>
    Email = 3,

    /// <summary>A URI, after <c>uri:</c>.</summary>
    Uri = 4,

    /// <summary>An IP address, after <c>ip:</c>.</summary>
    IPAddress = 5,

    /// <summary>A user principal name, as Microsoft's directories write it into certificates, after <c>upn:</c>.</summary>
    UserPrincipalName = 6,

    /// <summary>The subject of the certificate (RFC 4514), after <c>subject:</c>.</summary>
    Subject = 7,

    /// <summary>The SHA-256 of the certificate, after <c>sha256:</c>: for a certificate that has no other name.</summary>
    Certificate = 8,

    /// <summary>A user that logged in without a certificate, after <c>user:</c>.</summary>
    User = 9,

    /// <summary>
    /// A name of a type of its own (otherName, RFC 5280 §4.2.1.6), after <c>other:</c>: the type, an equals sign, and the text of
    /// <see cref="Certificates.OtherName.Text"/>.
    /// </summary>
    OtherName = 10,

    /// <summary>
    /// The registered number of an organization (the subject's organizationIdentifier, ETSI EN 319 412-1), after <c>organization:</c>.
    /// </summary>
    OrganizationIdentifier = 11,
}
