using System.Diagnostics;

namespace MutualAuth.Stress;

/// <summary>One run of a scenario: how long it may take, how much it is to do, and what it counts.</summary>
/// <param name="time">How long.</param>
/// <param name="count">How much; null for as much as fits into the time.</param>
internal sealed class Run(TimeSpan time, int? count = null)
{
    private readonly long _began = Stopwatch.GetTimestamp();

    internal TimeSpan Time { get; } = time;

    internal Figures Figures { get; } = new();

    internal TimeSpan Left => TimeSpan.FromTicks(Math.Max(0, (Time - Stopwatch.GetElapsedTime(_began)).Ticks));

    internal bool IsOver => Left == TimeSpan.Zero;

    /// <summary>So much of a count as fits into the time, where the whole wants so many seconds; at least the least.</summary>
    internal int Scaled(int whole, double seconds, int least) => Math.Clamp((int)(whole * Time.TotalSeconds / seconds), least, whole);

    /// <summary>
    /// What must be done before anything can be said to have held: all that was asked for; or what the slowest machine does in the time, and
    /// something in any case.
    /// </summary>
    internal int Least(int whole, double seconds, int least) => count ?? Scaled(whole, seconds, least);

    /// <summary>Whether one more is to be done: until the time is over, but the least in any case, and never more than the whole.</summary>
    internal bool GoesOn(long done, int whole, int least) => done < least || (done < (count ?? whole) && !IsOver);
}
