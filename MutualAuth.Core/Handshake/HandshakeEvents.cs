using System.Net;
using MutualAuth.Audit;
using MutualAuth.Errors;
using MutualAuth.Evidence;
using MutualAuth.Validation;

namespace MutualAuth.Handshake;

/// <summary>What the auditor is told of a handshake. Nothing here is called where nothing is recorded.</summary>
internal static class HandshakeEvents
{
    /// <summary>A peer of which nothing is known but its address.</summary>
    internal static void Begun(ConnectionAudit audit, PeerRole ourRole, EndPoint? remote, EndPoint? local) => audit.Tell(
        AuditKinds.ConnectionBegun,
        ourRole == PeerRole.Server ? $"{TextOf(remote)} has connected" : $"we have connected to {TextOf(remote)}",
        new AuditDetails().With("role", Name(ourRole)).With("peer_address", TextOf(remote)).With("local_address", EndPointText.Of(local)).ToArray(),
        isOfStranger: ourRole == PeerRole.Server);

    /// <summary>We accept the peer. What needs a record before that is refused without one.</summary>
    /// <returns>Why the peer is not accepted; null when it is.</returns>
    internal static async ValueTask<Rejection?> AcceptAsync(
        ConnectionAudit audit, HandshakeAttempt attempt, AuthenticatedPeer peer, SessionFacts session, bool confirms)
    {
        var who = $"{peer.Name} at {TextOf(attempt.RemoteEndPoint)}";
        if (attempt.OurRole == PeerRole.Server && peer.User is { } user)
        {
            var login = audit.RequireAsync(
                AuditKinds.LoginAccepted, $"{user}, on a connection of {who}", Of(user, new AuditDetails()).ToArray(), attempt.Token);
            if (await login.ConfigureAwait(false) is { } objection)
            {
                return objection;
            }
        }

        var details = new AuditDetails().With("role", Name(attempt.OurRole)).With("peer", peer.Name)
            .With("peer_address", TextOf(attempt.RemoteEndPoint)).With("proofs", peer.Proofs.ToString());
        if (peer.User is { } known)
        {
            Of(known, details);
        }

        details.With(peer.Certificate).With("tls", session.TlsVersion.ToText()).With("cipher_suite", session.CipherSuite.ToString())
            .With("key_exchange", session.KeyExchangeGroup?.ToText()).With("application_protocol", SafeName(session.ApplicationProtocol))
            .With("confirms", confirms);
        return await audit.RequireAsync(
            AuditKinds.Authenticated, $"{who}, by {peer.Proofs}", details.ToArray(), attempt.Token).ConfigureAwait(false);
    }

    /// <summary>There is no connection.</summary>
    internal static void Failed(ConnectionAudit audit, HandshakeAttempt attempt, HandshakeException outcome)
    {
        var details = new AuditDetails().With("role", Name(attempt.OurRole)).With("failure", RejectionReasons.ToSnakeCase(outcome.Failure.ToString()))
            .With(outcome.Rejection).With("peer_reason", outcome.PeerReason?.ToCode()).With("peer_address", TextOf(outcome.RemoteEndPoint))
            .With("claimed", outcome.PeerName);
        if (attempt.ShownByPeer is { Certificates: [var leaf, ..] })
        {
            // What is longer than a certificate may be is not read here either.
            details = leaf.Length <= attempt.Options.CertificateLimits.MaxCertificateBytes
                ? details.WithShown(leaf)
                : details.With("sha256", Certificates.Certificate.DigestOf(leaf));
        }

        var kind = KindOf(outcome);
        audit.Tell(
            kind, $"{outcome.PeerName ?? "a peer without a name"} at {TextOf(outcome.RemoteEndPoint)}. {outcome.Rejection}", details.ToArray(),
            isOfStranger: attempt.OurRole == PeerRole.Server && IsOfStranger(kind, attempt));
    }

    /// <summary>A login that fails proves nothing; the certificate of the peer may have.</summary>
    private static bool IsOfStranger(string kind, HandshakeAttempt attempt) => kind switch
    {
        AuditKinds.HandshakeFailed => true,
        AuditKinds.LoginRefused => attempt.Judge?.Verdict is not CertificateVerdict.Accepted,
        _ => false,
    };

    /// <summary>Our own caller gave it up.</summary>
    internal static void Cancelled(ConnectionAudit audit, HandshakeAttempt attempt) => audit.Tell(
        AuditKinds.HandshakeFailed,
        $"our side gave up the handshake with {TextOf(attempt.RemoteEndPoint)}",
        new AuditDetails().With("role", Name(attempt.OurRole)).With("failure", "cancelled").With("peer_address", TextOf(attempt.RemoteEndPoint))
            .ToArray(),
        isOfStranger: attempt.OurRole == PeerRole.Server);

    /// <summary>No host answered that we dialled.</summary>
    internal static void Unreachable(Auditor auditor, HandshakeException outcome) => auditor.Tell(
        new AuditEvent(AuditKinds.HandshakeFailed, $"{TextOf(outcome.RemoteEndPoint)}. {outcome.Rejection}")
        {
            Connection = outcome.ConnectionId,
            Details = new AuditDetails().With("role", Name(PeerRole.Client))
                .With("failure", RejectionReasons.ToSnakeCase(outcome.Failure.ToString())).With(outcome.Rejection)
                .With("peer_address", TextOf(outcome.RemoteEndPoint)).ToArray(),
        });

    internal static AuditDetails Of(AuthenticatedUser user, AuditDetails details) => details.With("user", SafeText.Quote(user.Name))
        .With("acts_as", user.ActsAs == user.Name ? null : SafeText.Quote(user.ActsAs)).With("mechanisms", string.Join(' ', user.Mechanisms));

    internal static string Name(PeerRole ourRole) => ourRole == PeerRole.Server ? "server" : "client";

    internal static string TextOf(EndPoint? endPoint) => EndPointText.Of(endPoint) ?? "an unknown address";

    private static string? SafeName(string? protocol) => protocol is null ? null : SafeText.PercentEncode(protocol);

    private static string KindOf(HandshakeException outcome) => outcome switch
    {
        {
            Failure: HandshakeFailure.PeerRejected,
            Reason: RejectionReason.NotAuthorized or RejectionReason.ValidatorRefused or RejectionReason.UserNotAllowed
                or RejectionReason.AuthorizationIdentityRefused
        } => AuditKinds.AuthorizationRefused,
        { Reason: >= RejectionReason.CredentialsRequired and < RejectionReason.MaximumAgeReached } => AuditKinds.LoginRefused,
        _ => AuditKinds.HandshakeFailed,
    };
}
