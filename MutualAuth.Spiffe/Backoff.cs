namespace MutualAuth.Spiffe;

/// <summary>
/// The wait after each consecutive failure: twice as long each time, up to a bound, minus a random half so that a fleet does not reconnect
/// all at once.
/// </summary>
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

    /// <summary>Resets the wait after a success.</summary>
    internal void Reset() => _failures = 0;
}
