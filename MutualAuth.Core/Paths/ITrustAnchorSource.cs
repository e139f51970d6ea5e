using Microsoft.Extensions.Logging;
using MutualAuth.Certificates;

namespace MutualAuth.Paths;

/// <summary>Authorities to trust: fixed, or reloaded while the process runs.</summary>
/// <remarks>
/// Implement it for anchors that change. It must be safe for concurrent use and must not block. A reload replaces <see cref="Current"/> as
/// a whole; a failed reload leaves the last good set in place.
/// </remarks>
public interface ITrustAnchorSource : ITrustSource
{
    /// <summary>The anchors in force. Never null; read once for each decision.</summary>
    TrustAnchors Current { get; }

    bool ITrustSource.NeedsAsyncSteps => false;

    bool? ITrustSource.IsKeyVerified(Certificate leaf) => null;

    ValueTask ITrustSource.PrepareAsync(ILogger logger, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    PathResult ITrustSource.FindPath(in PathSearch search) =>
        search.Validator.Validate(
            search.Leaf, search.Presented, Current, search.Role, search.At, search.Revocation, search.Verified, search.Shared);

    ValueTask<Rejection?> ITrustSource.AdmitAsync(Certificate leaf, DateTimeOffset at, ILogger logger, CancellationToken cancellationToken) =>
        default;
}
