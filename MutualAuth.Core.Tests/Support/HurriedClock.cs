namespace MutualAuth.Tests.Support;

/// <summary>The system's clock, on which waits of one length are over at once, so that a test of that deadline waits for nothing.</summary>
internal sealed class HurriedClock(TimeSpan wait) : TimeProvider
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, dueTime == wait ? TimeSpan.FromMilliseconds(1) : dueTime, period);
}
