namespace MutualAuth.Spiffe;

/// <summary>How long to wait after each failure in a row: twice as long each time, up to a bound, less a random half so that a fleet does not come at once.</summary>
internal sealed class Backoff(TimeSpan first, TimeSpan longest)
{
    private const int MaxDoublings = 32;

    private int _failures;

    /// <summary>The wait after one more failure.</summary>
    internal TimeSpan Next()
    {
        var doublings = Math.Min(_failures++, MaxDoublings);
        var whole = Math.Min(first.TotalMilliseconds * Math.Pow(2, doublings), longest.TotalMilliseconds);
#pragma warning disable CA5394 // It spreads load and protects nothing.
        return TimeSpan.FromMilliseconds(whole * (0.5 + (Random.Shared.NextDouble() / 2)));
#pragma warning restore CA5394
    }

    /// <summary>It went well: the next failure is the first again.</summary>
    internal void Reset() => _failures = 0;
}
