namespace MutualAuth.Paths;

/// <summary>Keeps the objection of a search that is most useful to the operator.</summary>
/// <remarks>
/// An objection to a path that reached an anchor comes before one to a path that did not. Then a fault comes before an expired certificate,
/// because expired ones are often sent along; then a signature by another key of the same name; then a missing issuer. After that the
/// longer path wins, and then the smaller code. Among equals the first one wins, in an order that does not depend on the peer.
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

        // An anchor with the right name and the wrong key was not reached.
        var rank = (reachedAnchor && kind > 1, kind, depth, -(int)objection.Reason);
        if (Worst is null || rank.CompareTo(_rank) > 0)
        {
            _rank = rank;
            Worst = objection;
        }
    }
}
