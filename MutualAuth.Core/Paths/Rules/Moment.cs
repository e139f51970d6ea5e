namespace MutualAuth.Paths;

/// <summary>When two times are one for every date of a certificate or list.</summary>
internal static class Moment
{
    /// <summary>
    /// Whether no date lies between the two times, and neither is one: dates are whole seconds (RFC 5280 §4.1.2.5), and both times lie strictly
    /// within the same one. A time is the same as itself.
    /// </summary>
    internal static bool IsSame(DateTimeOffset one, DateTimeOffset other)
    {
        var (second, fraction) = Math.DivRem(one.UtcTicks, TimeSpan.TicksPerSecond);
        var (otherSecond, otherFraction) = Math.DivRem(other.UtcTicks, TimeSpan.TicksPerSecond);
        return second == otherSecond && (fraction == otherFraction || (fraction > 0 && otherFraction > 0));
    }
}
