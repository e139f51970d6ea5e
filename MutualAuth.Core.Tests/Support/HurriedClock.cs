namespace MutualAuth.Tests.Support;

/// <summary>The system's clock, on which waits of one length end when the test says so, and from then on at once.</summary>
internal sealed class HurriedClock(TimeSpan wait) : TimeProvider
{
    private static readonly TimeSpan s_atOnce = TimeSpan.FromMilliseconds(1);

    private readonly Lock _lock = new();
    private readonly List<ITimer> _waiting = [];
    private bool _isHurried;

    /// <summary>Ends the waits.</summary>
    internal void Hurry()
    {
        lock (_lock)
        {
            _isHurried = true;
            foreach (var timer in _waiting)
            {
                timer.Change(s_atOnce, Timeout.InfiniteTimeSpan);
            }
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime != wait)
        {
            return base.CreateTimer(callback, state, dueTime, period);
        }

        lock (_lock)
        {
            var timer = base.CreateTimer(callback, state, _isHurried ? s_atOnce : Timeout.InfiniteTimeSpan, period);
            _waiting.Add(timer);
            return timer;
        }
    }
}
