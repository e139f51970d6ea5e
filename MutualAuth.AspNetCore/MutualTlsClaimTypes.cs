namespace MutualAuth.AspNetCore;

/// <summary>The types of the claims that the authentication scheme adds to those of <see cref="AuthenticatedPeer.ToClaimsPrincipal"/>.</summary>
public static class MutualTlsClaimTypes
{
    /// <summary>What the peer is called: <see cref="AuthenticatedPeer.Name"/>.</summary>
    public const string Peer = "mutualauth:peer";

    /// <summary>The SPIFFE ID, where the certificate is a valid X.509-SVID.</summary>
    public const string SpiffeId = "mutualauth:spiffe_id";

    /// <summary>The name of the user that logged in.</summary>
    public const string User = "mutualauth:user";

    /// <summary>The peer's name by its certificate, where a user logged in from it: the device.</summary>
    public const string Device = "mutualauth:device";

    /// <summary>One claim for each of <see cref="AuthenticatedPeer.Proofs"/>, by the name of the flag, such as <c>Certificate</c>.</summary>
    public const string Proof = "mutualauth:proof";

    /// <summary><c>true</c> where the peer has confirmed, in band, that it accepted us; absent otherwise.</summary>
    public const string Confirmed = "mutualauth:confirmed";
}
