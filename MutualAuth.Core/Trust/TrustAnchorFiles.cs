using MutualAuth.Certificates;
using MutualAuth.Paths;
using MutualAuth.Reloading;
using MutualAuth.Telemetry;

namespace MutualAuth;

/// <summary>Trust anchors read from PEM files, and read again when the files change.</summary>
/// <remarks>
/// A certificate that is whole and cannot be read is left out, named in <see cref="TrustAnchors.LeftOut"/> and logged (event 1406); a block that
/// is cut or broken refuses the whole change.
/// </remarks>
public sealed class TrustAnchorFiles : WatchedFiles<TrustAnchors>, ITrustAnchorSource
{
    /// <summary>Reads bundles of anchors and watches their files.</summary>
    /// <param name="paths">PEM files that hold certificates only; at most 64 MiB each.</param>
    /// <param name="options">How the files are watched.</param>
    /// <exception cref="ArgumentException">There is no path, or <paramref name="options"/> contradict themselves.</exception>
    /// <exception cref="MaterialException">A file cannot be read, may be written by every user, has no readable certificate, or has a block that is
    /// cut, broken or not a certificate.</exception>
    public TrustAnchorFiles(IEnumerable<string> paths, WatchOptions? options = null)
        : this(paths, UnreadableAnchors.LeaveOut, options)
    {
    }

    /// <inheritdoc cref="TrustAnchorFiles(IEnumerable{string}, WatchOptions?)"/>
    /// <param name="paths">PEM files that hold certificates only; at most 64 MiB each.</param>
    /// <param name="unreadable">What happens to a certificate that cannot be read, at the start and on each reload.</param>
    /// <param name="options">How the files are watched.</param>
    public TrustAnchorFiles(IEnumerable<string> paths, UnreadableAnchors unreadable, WatchOptions? options = null)
        : this(paths, unreadable, null, options)
    {
    }

    /// <inheritdoc cref="TrustAnchorFiles(IEnumerable{string}, WatchOptions?)"/>
    /// <param name="paths">PEM files that hold certificates only; at most 64 MiB each.</param>
    /// <param name="constraints">Constraints on every anchor of the files, at the start and after each reload.</param>
    /// <param name="options">How the files are watched.</param>
    public TrustAnchorFiles(IEnumerable<string> paths, AnchorConstraints constraints, WatchOptions? options = null)
        : this(paths, UnreadableAnchors.LeaveOut, constraints ?? throw new ArgumentNullException(nameof(constraints)), options)
    {
    }

    private TrustAnchorFiles(IEnumerable<string> paths, UnreadableAnchors unreadable, AnchorConstraints? constraints, WatchOptions? options)
        : base(
            "trust anchors",
            FileUse.Anchors,
            paths,
            TrustAnchors.MaxFileBytes,
            files => Constrained(Said(TrustAnchors.FromContents(files, unreadable), options), constraints),
            anchors => anchors.ToString(),
            options)
    {
    }

    /// <inheritdoc cref="TrustAnchorFiles(IEnumerable{string}, WatchOptions?)"/>
    public TrustAnchorFiles(params string[] paths)
        : this(paths, null)
    {
    }

    private static TrustAnchors Constrained(TrustAnchors anchors, AnchorConstraints? constraints) =>
        constraints is null ? anchors : anchors.WithConstraints(constraints);

    private static TrustAnchors Said(TrustAnchors anchors, WatchOptions? options)
    {
        anchors.SayWhatIsLeftOut(MutualAuthTelemetry.CreateLogger((options ?? WatchOptions.Default).LoggerFactory));
        return anchors;
    }
}
