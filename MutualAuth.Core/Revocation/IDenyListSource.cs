namespace MutualAuth.Revocation;

/// <summary>Where the deny list comes from: fixed, or reloaded while the process runs.</summary>
/// <remarks>Safe for concurrent use. A reload replaces the whole of <see cref="Current"/> at once, and a reload that fails leaves the last good list.</remarks>
public interface IDenyListSource
{
    /// <summary>The list that counts at this moment. Ask again for each decision.</summary>
    DenyList Current { get; }
}
