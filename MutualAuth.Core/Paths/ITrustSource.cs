using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using MutualAuth.Certificates;
using MutualAuth.Paths;
using MutualAuth.Trust;

namespace MutualAuth;

/// <summary>
/// What makes a certificate trustworthy: authorities (<see cref="ITrustAnchorSource"/>), or the peer's own key (<see cref="KnownPeers"/>).
/// </summary>
/// <remarks>Closed: its members are internal, so that no other assembly can say yes in its own way. Safe for concurrent use.</remarks>
public interface ITrustSource
{
    /// <summary>
    /// Brings memory up to date before a handshake, so that <see cref="FindPath"/> need not do I/O. What fails here leaves the last good state.
    /// </summary>
    internal ValueTask PrepareAsync(ILogger logger, CancellationToken cancellationToken);

    /// <summary>
    /// Looks for a path from a certificate to something that is trusted. Pure: no I/O, no clock, and it never throws on account of a certificate.
    /// </summary>
    internal PathResult FindPath(in PathSearch search);

    /// <summary>
    /// The last word on a peer that everything else has accepted, right before our verdict goes out; null when it stays accepted. It may do
    /// I/O, and what fails is a rejection.
    /// </summary>
    internal ValueTask<Rejection?> AdmitAsync(Certificate leaf, DateTimeOffset at, ILogger logger, CancellationToken cancellationToken);
}

/// <summary>What a trust source is asked to find a path for.</summary>
internal readonly record struct PathSearch(
    PathValidator Validator, Certificate Leaf, IReadOnlyList<Certificate> Presented, PeerRole Role, DateTimeOffset At)
{
    /// <summary>What says that a certificate was revoked; null when revocation is not checked.</summary>
    internal IRevocationSource? Revocation { get; init; }

    /// <summary>
    /// The path by which the peer was accepted before; empty for a peer that is judged for the first time. Only its signatures are known; all other
    /// rules are applied again.
    /// </summary>
    internal ImmutableArray<Certificate> Verified { get; init; }

    /// <summary>The peer was admitted before and is judged again: an unknown peer is then not added as a new one.</summary>
    internal bool WasAdmitted { get; init; }
}
