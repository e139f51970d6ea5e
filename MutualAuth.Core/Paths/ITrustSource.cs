using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using MutualAuth.Certificates;
using MutualAuth.Paths;
using MutualAuth.Trust;

namespace MutualAuth;

/// <summary>
/// The basis for trust in a certificate: authorities (<see cref="ITrustAnchorSource"/>), or the peer's own key (<see cref="KnownPeers"/>).
/// </summary>
/// <remarks>Closed: its members are internal, so that no other assembly can accept peers in its own way. Safe for concurrent use.</remarks>
public interface ITrustSource
{
    /// <summary>
    /// Refreshes the cached state before a handshake, so that <see cref="FindPath"/> needs no I/O. A failure leaves the last good state.
    /// </summary>
    internal ValueTask PrepareAsync(ILogger logger, CancellationToken cancellationToken);

    /// <summary>Looks for a path from a certificate to a trust anchor. Pure: no I/O, no clock, and no certificate makes it throw.</summary>
    internal PathResult FindPath(in PathSearch search);

    /// <summary>
    /// The final check of a peer that has passed all other checks, immediately before our verdict is sent; null when the peer stays
    /// accepted. It may do I/O; a failure is a rejection.
    /// </summary>
    internal ValueTask<Rejection?> AdmitAsync(Certificate leaf, DateTimeOffset at, ILogger logger, CancellationToken cancellationToken);

    /// <summary>
    /// Whether people have compared the key of this certificate, as far as is known now; null where an authority vouches for it. Pure, as
    /// <see cref="FindPath"/>.
    /// </summary>
    internal bool? IsKeyVerified(Certificate leaf);

    /// <summary>Whether <see cref="FindPath"/> decides nothing without the other two, which wait for I/O.</summary>
    internal bool NeedsAsyncSteps { get; }
}

/// <summary>The input of a search for a path.</summary>
internal readonly record struct PathSearch(
    PathValidator Validator, Certificate Leaf, IReadOnlyList<Certificate> Presented, PeerRole Role, DateTimeOffset At)
{
    /// <summary>The revocation check; null when revocation is not checked.</summary>
    internal IRevocationSource? Revocation { get; init; }

    /// <summary>
    /// The path by which the peer was accepted before; empty at the first judgement. Only its signatures are reused; everything else is
    /// checked again.
    /// </summary>
    internal ImmutableArray<Certificate> Verified { get; init; }

    /// <summary>What was found out for other peers that are judged again in the same sweep; null where there are none.</summary>
    internal SharedPaths? Shared { get; init; }

    /// <summary>The peer was admitted before and is judged again: a peer that is not known now must not be added as a first meeting.</summary>
    internal bool WasAdmitted { get; init; }
}
