using MutualAuth.Certificates;

namespace MutualAuth.Paths;

/// <summary>Decides whether a certificate of a path has been revoked.</summary>
/// <remarks>
/// Called for each certificate except the anchor after a path has passed all other checks, from the anchor's side down, so that an issuer
/// is checked before its statements about others count. An objection ends that path only: another path to the same leaf may avoid the
/// revoked authority. Pure, synchronous and safe for concurrent use; it must not throw.
/// </remarks>
internal interface IRevocationSource
{
    /// <summary>Returns the objection; null when there is none.</summary>
    /// <param name="path">The whole path; the signature of each certificate has been verified with the next one's key.</param>
    /// <param name="index">The index of the certificate in the path; never the last one.</param>
    /// <param name="pool">Further possible issuers, which may include the signer of a list; null for none.</param>
    /// <param name="at">The time for which the decision holds.</param>
    Rejection? Check(IReadOnlyList<Certificate> path, int index, CandidatePool? pool, DateTimeOffset at);

    /// <summary>
    /// Whether the other one says the same of every authority of every path: by the same statements, at a time that is the same for them.
    /// </summary>
    bool SaysTheSameOfAuthorities(IRevocationSource other) => false;
}
