namespace MutualAuth.Testing.Building;

/// <summary>Dates beside a clock's, which may stand anywhere.</summary>
internal static class Moments
{
    /// <summary>What is so much later, or earlier, or the end of time where that comes first.</summary>
    internal static DateTimeOffset Shift(this DateTimeOffset from, TimeSpan span) =>
        new(Math.Clamp(from.UtcTicks + span.Ticks, DateTimeOffset.MinValue.UtcTicks, DateTimeOffset.MaxValue.UtcTicks), TimeSpan.Zero);

    internal static DateTimeOffset ShiftDays(this DateTimeOffset from, int days) => from.Shift(TimeSpan.FromDays(days));
}
