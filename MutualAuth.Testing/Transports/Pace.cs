namespace MutualAuth.Testing.Transports;

/// <summary>How long octets are under way in one direction, by the clock of the pair. Not safe for concurrent use.</summary>
internal sealed class Pace(TimeProvider clock)
{
    private static readonly TimeSpan s_longestWait = TimeSpan.FromDays(1); // then the clock is asked again: timers have a bound
    private long _busyUntil;

    internal TimeSpan Latency { get; set; }

    internal int? BytesPerSecond { get; set; }

    internal long Now => clock.GetTimestamp();

    /// <summary>When the last of so many octets arrives that are sent now; of none, the end of the stream.</summary>
    internal long ArrivalOf(int count)
    {
        var sent = Now;
        if (BytesPerSecond is { } rate)
        {
            _busyUntil = Math.Max(sent, _busyUntil) + (long)(count * (double)clock.TimestampFrequency / rate);
            sent = _busyUntil;
        }

        return After(sent);
    }

    /// <summary>What is so much later as octets are under way.</summary>
    internal long After(long timestamp) => timestamp + (long)(Latency.TotalSeconds * clock.TimestampFrequency);

    internal bool HasCome(long timestamp) => HasCome(timestamp, out _);

    /// <summary>Whether a time has come.</summary>
    /// <param name="timestamp">The time.</param>
    /// <param name="wait">When to ask again if it has not; otherwise infinite.</param>
    internal bool HasCome(long timestamp, out TimeSpan wait)
    {
        var early = timestamp - Now;
        wait = early <= 0
            ? Timeout.InfiniteTimeSpan
            : TimeSpan.FromTicks(
                (long)Math.Min(s_longestWait.Ticks, Math.Ceiling(early * (double)TimeSpan.TicksPerSecond / clock.TimestampFrequency)));
        return early <= 0;
    }
}
