using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace MutualAuth.Tests.Support;

/// <summary>A clock that stands still and tells of each wait that begins on it, so that a test moves it only once somebody waits.</summary>
internal sealed class PausingClock(DateTimeOffset now) : FakeTimeProvider(now)
{
    private readonly Channel<TimeSpan> _waits = Channel.CreateUnbounded<TimeSpan>();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        _waits.Writer.TryWrite(dueTime);
        return timer;
    }

    /// <summary>Forgets the waits that have begun so far.</summary>
    internal void Forget()
    {
        while (_waits.Reader.TryRead(out _))
        {
        }
    }

    /// <summary>The length of the next wait that begins, other than of this length.</summary>
    internal async Task<TimeSpan> NextWaitAsync(TimeSpan? but = null)
    {
        using var deadline = new CancellationTokenSource(ConnectedPair.Deadline);
        while (true)
        {
            var wait = await _waits.Reader.ReadAsync(deadline.Token);
            if (wait != but && wait != Timeout.InfiniteTimeSpan)
            {
                return wait;
            }
        }
    }

    /// <summary>Waits until a wait of this length begins.</summary>
    internal async Task UntilWaitAsync(TimeSpan length)
    {
        using var deadline = new CancellationTokenSource(ConnectedPair.Deadline);
        while (await _waits.Reader.ReadAsync(deadline.Token) != length)
        {
        }
    }
}
