using System.Globalization;
using System.Net;
using MutualAuth.Audit;
using MutualAuth.Errors;
using MutualAuth.Handshake;
using MutualAuth.Transport;

namespace MutualAuth.Connections;

/// <summary>What the auditor is told of a live connection. Nothing here is called where nothing is recorded.</summary>
internal static class ConnectionEvents
{
    internal static void Invalidated(ConnectionAudit audit, AuthenticatedPeer peer, EndPoint? remote, Invalidation lost) => audit.Tell(
        AuditKinds.ConnectionInvalidated,
        $"{peer.Name} is no longer valid. {lost.Rejection}",
        new AuditDetails().With("peer", peer.Name).With("peer_address", HandshakeEvents.TextOf(remote))
            .With("action", RejectionReasons.ToSnakeCase(lost.Action.ToString()))
            .With(lost.Rejection).ToArray());

    internal static Task Ended(ConnectionAudit audit, AuthenticatedPeer peer, EndPoint? remote, GuardedSslStream stream, TimeSpan openFor)
    {
        var (end, rejection) = stream.Ended;
        var why = end is { } ours ? RejectionReasons.ToSnakeCase(ours.ToString()) : stream.PeerEndedCleanly is null ? "abandoned" : "by_peer";
        var peersEnd = stream.PeerEndedCleanly switch { true => "closed", false => "cut", null => "open" };
        var (received, sent) = (stream.Received.ToString(CultureInfo.InvariantCulture), stream.Sent.ToString(CultureInfo.InvariantCulture));
        var seconds = openFor.TotalSeconds.ToString("0.000", CultureInfo.InvariantCulture);
        return audit.Tell(
            AuditKinds.ConnectionEnded,
            $"{peer.Name}, after {seconds} s, {received} octets received and {sent} sent: {why}",
            new AuditDetails().With("peer", peer.Name).With("peer_address", HandshakeEvents.TextOf(remote))
                .With("seconds", seconds).With("octets_received", received).With("octets_sent", sent)
                .With("end", why).With("reason", rejection?.Reason.ToCode()).With("peers_side", peersEnd).ToArray());
    }

    /// <summary>The user has shown its credentials once more. What cannot be recorded does not count.</summary>
    internal static ValueTask<Rejection?> ProvenAgainAsync(
        ConnectionAudit audit, bool isStepUp, AuthenticatedUser user, CancellationToken cancellationToken) => audit.RequireAsync(
        isStepUp ? AuditKinds.StepUpAccepted : AuditKinds.ReauthenticationAccepted,
        $"{user}, by {user.Proofs}",
        HandshakeEvents.Of(user, new AuditDetails()).With("proofs", user.Proofs.ToString()).ToArray(),
        cancellationToken);

    /// <summary>A reconnect credential is ready for the client. One that cannot be recorded is not handed out.</summary>
    internal static ValueTask<Rejection?> ReconnectIssuedAsync(
        ConnectionAudit audit, AuthenticatedPeer peer, AuthenticatedUser user, DateTimeOffset notAfter, CancellationToken cancellationToken) =>
        audit.RequireAsync(
            AuditKinds.ReconnectIssued,
            $"{user}, on a connection of {peer.Name}, until {notAfter:O}",
            HandshakeEvents.Of(user, new AuditDetails()).With("peer", peer.Name)
                .With("not_after", notAfter.ToString("O", CultureInfo.InvariantCulture)).ToArray(),
            cancellationToken);

    internal static void ReconnectNotIssued(ConnectionAudit audit, AuthenticatedPeer peer, AuthenticatedUser user, Rejection rejection) => audit.Tell(
        AuditKinds.ReconnectNotIssued,
        $"{user}, on a connection of {peer.Name}. {rejection}",
        HandshakeEvents.Of(user, new AuditDetails()).With("peer", peer.Name).With(rejection).ToArray());

    internal static void NotProvenAgain(ConnectionAudit audit, bool isStepUp, AuthenticatedPeer peer, Rejection rejection) => audit.Tell(
        isStepUp ? AuditKinds.StepUpRefused : AuditKinds.ReauthenticationRefused,
        $"{peer.User}. {rejection}",
        new AuditDetails().With("user", peer.User?.ToString()).With(rejection).ToArray());
}
