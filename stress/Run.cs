using System.Diagnostics;

namespace MutualAuth.Stress;

/// <summary>One run of a scenario: how long it may take, and what it counts.</summary>
internal sealed class Run(TimeSpan time)
{
    private readonly long _began = Stopwatch.GetTimestamp();

    internal TimeSpan Time { get; } = time;

    internal Figures Figures { get; } = new();

    internal TimeSpan Left => TimeSpan.FromTicks(Math.Max(0, (Time - Stopwatch.GetElapsedTime(_began)).Ticks));

    internal bool IsOver => Left == TimeSpan.Zero;

    /// <summary>So much of a count as fits into the time, where the whole wants so many seconds; at least the least.</summary>
    internal int Scaled(int whole, double seconds, int least) => Math.Clamp((int)(whole * Time.TotalSeconds / seconds), least, whole);
}
