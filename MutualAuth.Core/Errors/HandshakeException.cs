using System.Net;
using System.Security.Authentication;
using MutualAuth.Errors;

namespace MutualAuth;

/// <summary>A handshake failed. Holds the stage and the side at fault, the reason, the expected and presented facts, and a hint.</summary>
/// <remarks>
/// It derives from <see cref="AuthenticationException"/>, so that code written for <c>SslStream</c> catches it.
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

    /// <summary>The stage at which the handshake failed, and the side at fault.</summary>
    public HandshakeFailure Failure { get; }

    /// <summary>The reason, with the expected and the presented facts. It is not sent to the peer.</summary>
    public Rejection Rejection { get; }

    /// <summary>The stable reason of <see cref="Rejection"/>.</summary>
    public RejectionReason Reason => Rejection.Reason;

    /// <summary>The reason that the peer sent when it refused us; null when it sent none. It may be set in addition to a reason of our own.</summary>
    public PublicReason? PeerReason { get; internal init; }

    /// <summary>
    /// What the server said of our token when it refused it, such as the scope that is missing (RFC 7628 §3.2.2); null when it said nothing, or
    /// nothing well-formed. These are the server's words: get another token from the issuer that you have, not from one that it names.
    /// </summary>
    public TokenError? TokenError { get; internal init; }

    /// <summary>
    /// Whether the same attempt may succeed later without any change of a configuration, a certificate or a rule: what stood in its way ends by
    /// itself, such as an unreachable host, a server without capacity, or a certificate whose time has not come. Repeat such an attempt after a
    /// growing delay, and no other; see <c>docs/how-to/reconnect-and-retry.md</c>.
    /// </summary>
    /// <remarks>
    /// A plain TLS server often refuses a client by closing without a word, which is <see cref="RejectionReason.TransportClosed"/> and so counts as
    /// transient: bound the number of attempts.
    /// </remarks>
    /// <example>
    /// <code>
    /// var again = failure.IsTransient &amp;&amp; attempt &lt; 8;
    /// </code>
    /// </example>
    public bool IsTransient => Reason == RejectionReason.RefusedByPeer ? PeerReason == PublicReason.TryAgainLater : Reason.IsTransient();

    /// <summary>
    /// The peer's name in its certificate: the SPIFFE ID, else the first DNS name, else the subject, percent-encoded; null when it
    /// presented none. The name of a rejected peer is a claim, not a fact.
    /// </summary>
    public string? PeerName { get; internal set; }

    /// <summary>The peer's address; null when the transport has none.</summary>
    public EndPoint? RemoteEndPoint { get; internal set; }

    /// <summary>
    /// The name of this attempt in the log events (<c>ConnectionId</c>), the activity and the audit; see <see cref="MutualTlsConnection.Id"/>. Null
    /// where the failure is that of a connection that existed before.
    /// </summary>
    public string? ConnectionId { get; internal set; }

    /// <summary>The same outcome, with one more sentence in its hint.</summary>
    internal HandshakeException WithHint(string sentence) =>
        new(Failure, Rejection with { Hint = Rejection.Hint is { } hint ? $"{hint} {sentence}" : sentence }, InnerException)
        {
            PeerReason = PeerReason,
            TokenError = TokenError,
            PeerName = PeerName,
            RemoteEndPoint = RemoteEndPoint,
            ConnectionId = ConnectionId,
        };

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
        _ => $"The handshake was not performed. {rejection}",
    };
}
