namespace MutualAuth.Tests.Support;

/// <summary>The system's clock, on which one wait is over at once: the test of that deadline waits for nothing, and all others keep their time.</summary>
internal sealed class HurriedClock(TimeSpan wait) : TimeProvider
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, dueTime == wait ? TimeSpan.FromMilliseconds(1) : dueTime, period);
}
