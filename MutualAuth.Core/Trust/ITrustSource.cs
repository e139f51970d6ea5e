namespace MutualAuth.Trust;

/// <summary>Where trust comes from: fixed, or reloaded while the process runs.</summary>
/// <remarks>
/// Safe for concurrent use. A reload replaces the whole of <see cref="Current"/> at once, and a reload that fails leaves the last good set.
/// </remarks>
public interface ITrustSource
{
    /// <summary>The anchors that are trusted at this moment. Never empty; ask again for each decision.</summary>
    TrustAnchors Current { get; }
}
