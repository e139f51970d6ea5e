namespace MutualAuth.Pinning;

/// <summary>Where pins come from: fixed (a <see cref="PinSet"/>), or reloaded while the process runs.</summary>
/// <remarks>
/// Safe for concurrent use. A reload replaces the whole of <see cref="Current"/> at once, and a reload that fails leaves the last good set.
/// </remarks>
public interface IPinSource
{
    /// <summary>The pins that count at this moment. Never null; asked once for each judgement.</summary>
    PinSet Current { get; }
}
