using MutualAuth.Paths;
using MutualAuth.Reloading;

namespace MutualAuth;

/// <summary>Trust anchors read from PEM files, and read again when the files change.</summary>
public sealed class TrustAnchorFiles : WatchedFiles<TrustAnchors>, ITrustAnchorSource
{
    /// <summary>Reads bundles of anchors and watches their files.</summary>
    /// <param name="paths">PEM files that hold certificates only; at most 64 MiB each.</param>
    /// <param name="options">How the files are watched.</param>
    /// <exception cref="ArgumentException">There is no path, or <paramref name="options"/> contradict themselves.</exception>
    /// <exception cref="MaterialException">A file cannot be read, has no certificate, or has a block that is not a readable certificate.</exception>
    public TrustAnchorFiles(IEnumerable<string> paths, WatchOptions? options = null)
        : base("trust anchors", paths, TrustAnchors.MaxFileBytes, TrustAnchors.FromContents, anchors => anchors.ToString(), options)
    {
    }

    /// <inheritdoc cref="TrustAnchorFiles(IEnumerable{string}, WatchOptions?)"/>
    public TrustAnchorFiles(params string[] paths)
        : this(paths, null)
    {
    }
}
