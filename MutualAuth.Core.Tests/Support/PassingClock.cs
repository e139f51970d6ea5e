using Microsoft.Extensions.Time.Testing;

namespace MutualAuth.Tests.Support;

/// <summary>A clock on which time passes while a timer is being set: after whoever sets it has looked at the clock, and before it counts.</summary>
internal sealed class PassingClock(FakeTimeProvider inner) : TimeProvider
{
    /// <summary>What passes when a timer is set next, and no more than once.</summary>
    internal TimeSpan Passes { get; set; }

    /// <summary>The shortest wait that counts.</summary>
    internal TimeSpan From { get; set; }

    public override long TimestampFrequency => inner.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => inner.GetUtcNow();

    public override long GetTimestamp() => inner.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime != Timeout.InfiniteTimeSpan)
        {
            Pass(dueTime);
        }

        return new PassingTimer(this, inner.CreateTimer(callback, state, dueTime, period));
    }

    private void Pass(TimeSpan wait)
    {
        if (wait < From)
        {
            return;
        }

        var time = Passes;
        Passes = TimeSpan.Zero;
        inner.Advance(time);
    }

    private sealed class PassingTimer(PassingClock clock, ITimer inner) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            clock.Pass(dueTime);
            return inner.Change(dueTime, period);
        }

        public void Dispose() => inner.Dispose();

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
