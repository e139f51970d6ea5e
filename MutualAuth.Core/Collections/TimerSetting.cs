namespace MutualAuth.Collections;

/// <summary>Sets a timer by the look at the clock from which its time was reckoned, and not by a later one.</summary>
internal static class TimerSetting
{
    // Not zero, so that no callback ever runs on the thread that sets the timer and holds a lock.
    private static readonly TimeSpan s_shortest = TimeSpan.FromMilliseconds(1);

    // A clock that jumps at each look is not followed for ever.
    private const int MaxLooks = 4;

    /// <summary>Has the timer ring once, when so much time is over since that look; soon where it is over already.</summary>
    /// <param name="timer">The timer.</param>
    /// <param name="wait">How long to wait.</param>
    /// <param name="time">The clock.</param>
    /// <param name="since">The timestamp of the look from which <paramref name="wait"/> counts.</param>
    internal static void RingAfter(this ITimer timer, TimeSpan wait, TimeProvider time, long since)
    {
        for (var look = 1; look <= MaxLooks; look++)
        {
            var before = time.GetElapsedTime(since);
            var left = wait - before;
            timer.Change(left > s_shortest ? left : s_shortest, Timeout.InfiniteTimeSpan);
            if (time.GetElapsedTime(since) - before < s_shortest)
            {
                return; // otherwise it would ring so much too late
            }
        }
    }

    /// <summary>Waits until so much time is over since that look; not at all where it is over already.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="wait">How long to wait.</param>
    /// <param name="since">The timestamp of the look from which <paramref name="wait"/> counts.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended.</exception>
    internal static async Task DelayAsync(this TimeProvider time, TimeSpan wait, long since, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var before = time.GetElapsedTime(since);
        var left = wait - before;
        if (left <= TimeSpan.Zero)
        {
            return;
        }

        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var timer = time.CreateTimer(
            static over => ((TaskCompletionSource)over!).TrySetResult(), over, left > s_shortest ? left : s_shortest, Timeout.InfiniteTimeSpan);
        await using (timer.ConfigureAwait(false))
        {
            if (time.GetElapsedTime(since) - before >= s_shortest)
            {
                timer.RingAfter(wait, time, since);
            }

            await over.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
