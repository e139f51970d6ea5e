using System.Net;
using System.Security.Authentication;

namespace MutualAuth;

/// <summary>A handshake ended without a connection. Says where and on whose account, why, what was expected and presented, and what to do.</summary>
/// <remarks>
/// It derives from <see cref="AuthenticationException"/>, so that code written around <c>SslStream</c> keeps catching it.
/// The transport is closed by the time it is thrown. Immutable.
/// </remarks>
public sealed class HandshakeException : AuthenticationException
{
    internal HandshakeException(HandshakeFailure failure, Rejection rejection, Exception? innerException = null)
        : base(Describe(failure, rejection), innerException)
    {
        Failure = failure;
        Rejection = rejection;
    }

    /// <summary>Where the handshake stopped, and on whose account.</summary>
    public HandshakeFailure Failure { get; }

    /// <summary>Why, with what was expected and what was presented. It is ours, and is not told to the peer.</summary>
    public Rejection Rejection { get; }

    /// <summary>Why: the stable reason of <see cref="Rejection"/>.</summary>
    public RejectionReason Reason => Rejection.Reason;

    /// <summary>What the peer told us when it refused us; null when it told us nothing. It may stand beside a reason of our own.</summary>
    public PublicReason? PeerReason { get; internal init; }

    /// <summary>
    /// What the peer's certificate calls it: its SPIFFE ID, else its first DNS name, else its subject, percent-encoded; null when it
    /// showed none. A rejected peer's name is a claim and not a fact.
    /// </summary>
    public string? PeerName { get; internal set; }

    /// <summary>The peer's address; null when the transport has none.</summary>
    public EndPoint? RemoteEndPoint { get; internal set; }

    private static string Describe(HandshakeFailure failure, Rejection rejection) => failure switch
    {
        HandshakeFailure.Unreachable => $"The peer could not be reached. {rejection}",
        HandshakeFailure.NoAgreement => $"No agreement with the peer. {rejection}",
        HandshakeFailure.PeerRejected => $"The peer was rejected. {rejection}",
        HandshakeFailure.RefusedByPeer => $"The peer refused us. {rejection}",
        HandshakeFailure.TimedOut => $"The handshake timed out. {rejection}",
        HandshakeFailure.TransportLost => $"The transport was lost during the handshake. {rejection}",
        HandshakeFailure.PeerMisbehaved => $"The peer broke the protocol. {rejection}",
        HandshakeFailure.OurFault => $"The handshake failed on our side. {rejection}",
        _ => $"The handshake was not carried out. {rejection}",
    };
}
