using MutualAuth.Collections;

namespace MutualAuth.Revalidation;

/// <summary>
/// One timer for all connections of a registry: dates use the wall clock, durations the monotonic clock. Its owner's lock guards it.
/// </summary>
internal sealed class DueTimer
{
    // So often the clock on the wall is looked at: it may be set, and the machine may sleep.
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(1);

    private readonly DueQueue _dates = new();
    private readonly DueQueue _durations = new();
    private readonly DueQueue _idle = new();
    private readonly DueQueue _activity = new();
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly ITimer _timer;
    private TimeSpan? _ringsAt;

    /// <param name="time">The clocks.</param>
    /// <param name="ring">Called on a thread of the pool when something may be due; answer with <see cref="TakeDue"/>.</param>
    internal DueTimer(TimeProvider time, Action ring)
    {
        _time = time;
        _start = time.GetTimestamp();
        using var nothingOfTheCallers = ExecutionContext.SuppressFlow();
        _timer = time.CreateTimer(static state => ((Action)state!)(), ring, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private TimeSpan Elapsed => _time.GetElapsedTime(_start);

    /// <summary>Has the entry come up at this date; null means at no date.</summary>
    internal void SetDate(RevalidationEntry entry, DateTimeOffset? date)
    {
        var due = date?.UtcTicks;
        _dates.Move(entry, entry.DateDue, due);
        entry.DateDue = due;
        Arm();
    }

    /// <summary>Has the entry come up after this time; null means never.</summary>
    internal void SetDuration(RevalidationEntry entry, TimeSpan? duration) =>
        SetDurationAt(entry, duration is { } wait ? DueIn(wait) : null);

    /// <summary>After this time, in ticks since the timer was made.</summary>
    internal long DueIn(TimeSpan wait) => (Elapsed + wait).Ticks;

    /// <summary>Has the entry come up at this time, in ticks since the timer was made; null means never.</summary>
    internal void SetDurationAt(RevalidationEntry entry, long? due)
    {
        _durations.Move(entry, entry.DurationDue, due);
        entry.DurationDue = due;
        Arm();
    }

    /// <summary>Has the entry come up after this time to be asked whether it is idle; null means never.</summary>
    internal void SetIdle(RevalidationEntry entry, TimeSpan? wait)
    {
        var due = wait is { } most ? (Elapsed + most).Ticks : (long?)null;
        _idle.Move(entry, entry.IdleDue, due);
        entry.IdleDue = due;
        Arm();
    }

    /// <summary>Has the entry come up after this time to be asked whether its user did something; null means never.</summary>
    internal void SetUserActivity(RevalidationEntry entry, TimeSpan? wait)
    {
        var due = wait is { } most ? (Elapsed + most).Ticks : (long?)null;
        _activity.Move(entry, entry.UserActivityDue, due);
        entry.UserActivityDue = due;
        Arm();
    }

    /// <summary>
    /// What is due now, each once: it comes up again only when it is set again. Where the clock throws, so does this, and it rings again in a
    /// minute.
    /// </summary>
    internal DueEntries TakeDue()
    {
        _ringsAt = null;
        long now;
        long elapsed;
        try
        {
            // Before anything is taken: what a clock that throws leaves behind must still be there the next time.
            (now, elapsed) = (_time.GetUtcNow().UtcTicks, Elapsed.Ticks);
        }
        catch
        {
            RingLater();
            throw;
        }

        var due = new DueEntries([], [], [], []);
        while (_dates.DueAt(now) is { } entry)
        {
            due.Dates.Add(entry);
            _dates.Move(entry, entry.DateDue, null);
            entry.DateDue = null;
        }

        while (_durations.DueAt(elapsed) is { } entry)
        {
            due.Durations.Add(entry);
            _durations.Move(entry, entry.DurationDue, null);
            entry.DurationDue = null;
        }

        while (_idle.DueAt(elapsed) is { } entry)
        {
            due.Idle.Add(entry);
            _idle.Move(entry, entry.IdleDue, null);
            entry.IdleDue = null;
        }

        while (_activity.DueAt(elapsed) is { } entry)
        {
            due.UserActivity.Add(entry);
            _activity.Move(entry, entry.UserActivityDue, null);
            entry.UserActivityDue = null;
        }

        Arm();
        return due;
    }

    private void Arm()
    {
        if (_dates.Next is null && _durations.Next is null && _idle.Next is null && _activity.Next is null)
        {
            return; // should it ring once more, it finds nothing
        }

        try
        {
            ArmForNext();
        }
        catch (Exception)
        {
            RingLater();
        }
    }

    private void RingLater()
    {
        try
        {
            _ringsAt = null;
            _timer.Change(s_longest, Timeout.InfiniteTimeSpan);
        }
        catch (Exception)
        {
            // The next entry that is set tries again.
        }
    }

    private void ArmForNext()
    {
        var now = _time.GetTimestamp();
        var elapsed = _time.GetElapsedTime(_start, now);
        var wait = s_longest;
        if (_dates.Next is { } date)
        {
            wait = Min(wait, new TimeSpan(date - _time.GetUtcNow().UtcTicks));
        }

        if (_durations.Next is { } duration)
        {
            wait = Min(wait, new TimeSpan(duration) - elapsed);
        }

        if (_idle.Next is { } idle)
        {
            wait = Min(wait, new TimeSpan(idle) - elapsed);
        }

        if (_activity.Next is { } activity)
        {
            wait = Min(wait, new TimeSpan(activity) - elapsed);
        }

        wait = wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
        if (_ringsAt is not { } rings || elapsed + wait < rings)
        {
            _ringsAt = elapsed + wait;
            _timer.RingAfter(wait, _time, now);
        }
    }

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;
}

/// <summary>What came up, each in the order in which it was due.</summary>
/// <param name="Dates">Whose date is reached.</param>
/// <param name="Durations">Whose duration is over.</param>
/// <param name="Idle">To be asked whether it is idle.</param>
/// <param name="UserActivity">To be asked whether its user did something.</param>
internal sealed record DueEntries(
    List<RevalidationEntry> Dates, List<RevalidationEntry> Durations, List<RevalidationEntry> Idle, List<RevalidationEntry> UserActivity);
