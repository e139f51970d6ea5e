namespace MutualAuth.Collections;

/// <summary>How much the caches may hold. Verdicts never depend on it, which the tests show by running with none, and with one entry each.</summary>
internal static class CacheSize
{
    /// <summary>The most that any cache holds; tests lower it before they make anything. Not for production: nothing outside can reach it.</summary>
    internal static int Limit { get; set; } = int.MaxValue;

    /// <summary>The size for a cache that is meant to hold <paramref name="wanted"/> entries.</summary>
    internal static int Of(int wanted) => Math.Min(wanted, Limit);
}
