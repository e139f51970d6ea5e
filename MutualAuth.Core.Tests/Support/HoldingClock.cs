using Microsoft.Extensions.Time.Testing;

namespace MutualAuth.Tests.Support;

/// <summary>A clock that holds whoever begins a wait of one length, once, until the test lets it go.</summary>
internal sealed class HoldingClock(DateTimeOffset now) : FakeTimeProvider(now)
{
    private readonly TaskCompletionSource _isHeld = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _mayGoOn = new();
    private long _holdsAt = Timeout.InfiniteTimeSpan.Ticks;

    /// <summary>Completes when somebody is held.</summary>
    internal Task Held => _isHeld.Task;

    /// <summary>Holds the next that waits so long.</summary>
    internal void HoldNext(TimeSpan wait) => Volatile.Write(ref _holdsAt, wait.Ticks);

    internal void Release() => _mayGoOn.SetResult();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime != Timeout.InfiniteTimeSpan
            && Interlocked.CompareExchange(ref _holdsAt, Timeout.InfiniteTimeSpan.Ticks, dueTime.Ticks) == dueTime.Ticks)
        {
            _isHeld.SetResult();
            _mayGoOn.Task.Wait(ConnectedPair.Deadline);
        }

        return base.CreateTimer(callback, state, dueTime, period);
    }
}
