namespace MutualAuth.Paths;

/// <summary>Of all that went wrong in a search, keeps what tells the operator most.</summary>
/// <remarks>
/// An objection to a path that reached an anchor comes before one to a path that did not; then a fault comes before an expired
/// certificate, of which leftovers are often sent along, that before a signature by another key of the same name, and that before a
/// missing issuer; then the longer path; then the smaller code. What is left equal was
/// met first, in an order that does not depend on the peer.
/// </remarks>
internal sealed class PathFailure
{
    private (bool ReachedAnchor, int Kind, int Depth, int Code) _rank;

    /// <summary>The objection to report; null when there was none.</summary>
    internal Rejection? Worst { get; private set; }

    internal void Note(Rejection objection, bool reachedAnchor, int depth)
    {
        var kind = objection.Reason switch
        {
            RejectionReason.UnknownAuthority => 0,
            RejectionReason.SignatureInvalid => 1,
            RejectionReason.CertificateExpired => 2,
            _ => 3,
        };

        // An anchor of the right name with the wrong key was not reached.
        var rank = (reachedAnchor && kind > 1, kind, depth, -(int)objection.Reason);
        if (Worst is null || rank.CompareTo(_rank) > 0)
        {
            _rank = rank;
            Worst = objection;
        }
    }
}
