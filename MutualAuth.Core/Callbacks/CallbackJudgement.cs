using MutualAuth.Evidence;
using MutualAuth.Validation;

namespace MutualAuth.Callbacks;

/// <summary>What one call of a validation callback decided about one peer.</summary>
/// <remarks>Immutable and safe to share.</remarks>
public sealed class CallbackJudgement
{
    internal CallbackJudgement(PeerEvidence evidence, CertificateVerdict verdict, bool isShadow, bool? otherAccepted)
    {
        Evidence = evidence;
        Verdict = verdict;
        IsShadow = isShadow;
        OtherAccepted = otherAccepted;
    }

    /// <summary>What the peer showed; without certificates when it showed none, or when what it showed could not be read.</summary>
    public PeerEvidence Evidence { get; }

    /// <summary>What the certificate stage says of it.</summary>
    public CertificateVerdict Verdict { get; }

    /// <summary>Whether <see cref="Verdict"/> had no effect: another callback gave the answer.</summary>
    public bool IsShadow { get; }

    /// <summary>The answer of the other callback; null where there was none, or it threw.</summary>
    public bool? OtherAccepted { get; }

    /// <summary>The peer, where the certificate stage accepts it; null otherwise.</summary>
    public AuthenticatedPeer? Peer => (Verdict as CertificateVerdict.Accepted)?.Peer;

    /// <summary>The objection, with its typed reason, where the certificate stage rejects the peer; null otherwise.</summary>
    public Rejection? Rejection => (Verdict as CertificateVerdict.Rejected)?.Rejection;
}
