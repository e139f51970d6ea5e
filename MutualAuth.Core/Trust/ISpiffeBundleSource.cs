using Microsoft.Extensions.Logging;
using MutualAuth.Certificates;
using MutualAuth.Paths;

namespace MutualAuth.Trust;

/// <summary>Bundles of SPIFFE trust domains: fixed, or replaced while the process runs.</summary>
/// <remarks>
/// Implement it for bundles that change. It must be safe for concurrent use and must not block. An update replaces <see cref="Current"/> as
/// a whole; a failed update leaves the last good set in place.
/// </remarks>
public interface ISpiffeBundleSource : ITrustSource
{
    /// <summary>The bundles in force. Never null; read once for each decision.</summary>
    SpiffeBundles Current { get; }

    bool ITrustSource.NeedsAsyncSteps => false;

    bool? ITrustSource.IsKeyVerified(Certificate leaf) => null;

    ValueTask ITrustSource.PrepareAsync(ILogger logger, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    PathResult ITrustSource.FindPath(in PathSearch search)
    {
        var refused = Current.Choose(search.Leaf, out var anchors);
        return refused is null
            ? search.Validator.Validate(
                search.Leaf, search.Presented, anchors!, search.Role, search.At, search.Revocation, search.Verified, search.Shared)
            : PathResult.Rejected(refused);
    }

    ValueTask<Rejection?> ITrustSource.AdmitAsync(Certificate leaf, DateTimeOffset at, ILogger logger, CancellationToken cancellationToken) =>
        default;
}
