namespace MutualAuth.Revocation;

/// <summary>Where revocation lists come from: fixed, or reloaded while the process runs.</summary>
/// <remarks>
/// Safe for concurrent use. A reload replaces the whole of <see cref="Current"/> at once, and a reload that fails leaves the last good set,
/// whose lists stop counting by themselves at their next update.
/// </remarks>
public interface IRevocationListSource
{
    /// <summary>The lists that count at this moment. Ask again for each decision.</summary>
    RevocationLists Current { get; }
}
