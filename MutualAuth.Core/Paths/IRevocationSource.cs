using MutualAuth.Certificates;

namespace MutualAuth.Paths;

/// <summary>Says whether a certificate of a path has been revoked.</summary>
/// <remarks>
/// Asked for each certificate but the anchor once a path has passed everything else, from the anchor's side down, so that an issuer has
/// been cleared before what it says about others counts. An objection ends that path and no other: another path to the same leaf may be
/// free of the revoked authority. Pure, synchronous and safe for concurrent use; it must not throw.
/// </remarks>
internal interface IRevocationSource
{
    /// <summary>Returns null when there is nothing to object to.</summary>
    /// <param name="path">The whole path, each of whose certificates the next one's key has verified.</param>
    /// <param name="index">Where in it the certificate in question stands; it is not the last.</param>
    /// <param name="pool">What else may issue, among which the key that signed a list may be; null for nothing.</param>
    /// <param name="at">The time for which the judgement holds.</param>
    Rejection? Check(IReadOnlyList<Certificate> path, int index, CandidatePool? pool, DateTimeOffset at);
}
