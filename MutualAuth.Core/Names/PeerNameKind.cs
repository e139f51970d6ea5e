namespace MutualAuth;

/// <summary>What kind of name a <see cref="PeerName"/> is. Two names of different kinds are never the same, however alike their texts are.</summary>
public enum PeerNameKind
{
    /// <summary>The SPIFFE ID of a valid X.509-SVID. Its text stands bare.</summary>
    SpiffeId = 1,

    /// <summary>A DNS name, or <c>*.</c> and one. Its text stands bare.</summary>
    Dns = 2,

    /// <summary>An e-mail address (rfc822Name), behind <c>email:</c>.</summary>
    Email = 3,

    /// <summary>A URI, behind <c>uri:</c>.</summary>
    Uri = 4,

    /// <summary>An IP address, behind <c>ip:</c>.</summary>
    IPAddress = 5,

    /// <summary>A user principal name, as directories of Microsoft write it into certificates, behind <c>upn:</c>.</summary>
    UserPrincipalName = 6,

    /// <summary>The subject of the certificate (RFC 4514), behind <c>subject:</c>.</summary>
    Subject = 7,

    /// <summary>The SHA-256 of the certificate, behind <c>sha256:</c>: what is left where a certificate has no other name.</summary>
    Certificate = 8,

    /// <summary>A user that logged in without a certificate, behind <c>user:</c>.</summary>
    User = 9,
}
