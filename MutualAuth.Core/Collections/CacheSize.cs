namespace MutualAuth.Collections;

/// <summary>The size of the caches. Verdicts never depend on it; tests verify this by running without caches, and with one entry each.</summary>
internal static class CacheSize
{
    /// <summary>
    /// The maximum size of any cache; tests lower it before they create anything. Not for production: it is not reachable from outside.
    /// </summary>
    internal static int Limit { get; set; } = int.MaxValue;

    /// <summary>The size for a cache that is meant to hold <paramref name="wanted"/> entries.</summary>
    internal static int Of(int wanted) => Math.Min(wanted, Limit);
}
