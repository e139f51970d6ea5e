namespace MutualAuth.Tokens.Http;

/// <summary>
/// The wait after each consecutive failure: twice as long each time, up to a bound, minus a random half, so that many do not ask an issuer all at
/// once.
/// </summary>
internal sealed class Backoff(TimeSpan first, TimeSpan longest)
{
    private const int MaxDoublings = 32;

    private int _failures;

    internal TimeSpan Next()
    {
        var whole = Math.Min(first.TotalMilliseconds * Math.Pow(2, Math.Min(_failures++, MaxDoublings)), longest.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(whole) * (1 - (Random() / 2));
    }

    internal void Reset() => _failures = 0;

    /// <summary>From 0 to 1. It spreads load and protects nothing.</summary>
#pragma warning disable CA5394
    internal static double Random() => System.Random.Shared.NextDouble();
#pragma warning restore CA5394
}
