using System.Collections.Immutable;
using MutualAuth.Certificates;

namespace MutualAuth.Handshake;

/// <summary>Says, to the side that was refused, what it showed: the peer tells no more than a code.</summary>
internal static class OwnEvidence
{
    /// <summary>Adds it to the outcomes that may be due to it; returns the others as they are.</summary>
    /// <param name="outcome">What became of the handshake.</param>
    /// <param name="shown">What we had to show; default while that is not known, because the handshake had not come so far.</param>
    /// <param name="ourRole">The part that we play.</param>
    internal static HandshakeException Explain(HandshakeException outcome, ImmutableArray<Identity> shown, PeerRole ourRole)
    {
        if (outcome.Failure == HandshakeFailure.RefusedByPeer && IsAboutUs(outcome.PeerReason) && !shown.IsDefault)
        {
            return outcome.WithHint(Describe(shown, ourRole, outcome.PeerReason == PublicReason.UnknownCa));
        }

        if (outcome.Reason != RejectionReason.TransportClosed || shown.IsDefault)
        {
            return outcome;
        }

        return outcome.WithHint(ourRole == PeerRole.Client
            ? "Servers that speak plain TLS often close in this way when they reject a client's certificate, and so does what stands between: the "
                + $"server's log has the reason. {Describe(shown, ourRole, isUnknown: false)}"
            : "A client closes in this way when it gives up, or rejects our certificate without saying so: its log has the reason. "
                + Describe(shown, ourRole, isUnknown: false));
    }

    private static bool IsAboutUs(PublicReason? reason) => reason is PublicReason.Refused or PublicReason.BadCertificate
        or PublicReason.UnsupportedCertificate or PublicReason.CertificateRevoked or PublicReason.CertificateExpired
        or PublicReason.CertificateUnknown or PublicReason.UnknownCa or PublicReason.AccessDenied or PublicReason.CertificateRequired;

    private static string Describe(ImmutableArray<Identity> shown, PeerRole ourRole, bool isUnknown) => shown switch
    {
        [] => "We had no certificate to show.",
        [var only] => $"We {(ourRole == PeerRole.Server ? "showed" : "had to show")} {Describe(only)}.{Advice(only, isUnknown)}",
        _ => $"We had {shown.Length} certificates to show, the first of them {Describe(shown[0])}.",
    };

    private static string Describe(Identity identity) =>
        $"{identity.Certificate}, issued by {Issuer(identity.Certificate)}, with {Count(identity.Intermediates.Length)}";

    private static string Issuer(Certificate certificate) => Errors.SafeText.Quote(certificate.Issuer.ToString());

    private static string Count(int intermediates) => intermediates == 1 ? "1 intermediate" : $"{intermediates} intermediates";

    private static string Advice(Identity identity, bool isUnknown) => !isUnknown ? string.Empty
        : $" The peer must trust {Issuer(identity.Intermediates.IsEmpty ? identity.Certificate : identity.Intermediates[^1])}, or our chain lacks "
            + "the intermediates between that and an authority that it trusts.";
}
