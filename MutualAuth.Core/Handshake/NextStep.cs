using MutualAuth.Credentials;
using MutualAuth.Errors;

namespace MutualAuth.Handshake;

/// <summary>What is left to do once TLS is complete and the certificate stage has its verdict. Each step knows the peer that it is about.</summary>
internal abstract record NextStep
{
    private NextStep()
    {
    }

    /// <summary>The peer is rejected: tell it, where it understands our verdict.</summary>
    internal sealed record Refuse(Rejection Objection) : NextStep;

    /// <summary>We are the server of a peer that confirms, and users log in: the login has the last word.</summary>
    /// <param name="CertifiedPeer">The peer as its certificate shows it; null where it showed none and may log in without.</param>
    internal sealed record AwaitLogin(AuthenticatedPeer? CertifiedPeer) : NextStep;

    /// <summary>We are the client and log in at the accepted server.</summary>
    internal sealed record LogIn(AuthenticatedPeer Server, ClientCredentials Credentials) : NextStep;

    /// <summary>Each side tells the other its verdict.</summary>
    internal sealed record Confirm(AuthenticatedPeer Peer) : NextStep;

    /// <summary>The peer speaks plain TLS: it learns our verdict by what the connection does.</summary>
    internal sealed record AcceptUnconfirmed(AuthenticatedPeer Peer) : NextStep;
}
