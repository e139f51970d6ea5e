namespace MutualAuth.Revalidation;

/// <summary>
/// When the user of a connection did something last. Safe for use from many threads; to record takes no lock and sets no timer. Once it is over,
/// nothing is recorded any more.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="most">How long the user may do nothing.</param>
/// <param name="isFinal">Whether what comes later than that is too late; otherwise it counts again from there.</param>
internal sealed class UserActivityClock(TimeProvider time, TimeSpan most, bool isFinal)
{
    private const long Over = long.MinValue;

    private long _at = time.GetTimestamp();

    /// <summary>
    /// The user did something just now. Never throws: what a failing clock cannot place does not count.
    /// </summary>
    /// <returns>False when it is over, or this comes too late, whether or not the timer has looked yet.</returns>
    internal bool TryRecord()
    {
        try
        {
            while (Volatile.Read(ref _at) is var before and not Over)
            {
                var now = time.GetTimestamp();
                if (isFinal && time.GetElapsedTime(before, now) >= most)
                {
                    return false;
                }

                if (now <= before || Interlocked.CompareExchange(ref _at, now, before) == before)
                {
                    return true;
                }
            }
        }
        catch (Exception)
        {
            // The registry, which asks the same clock, says so.
        }

        return false;
    }

    /// <summary>What is left of the time; where nothing is, and that is final, nothing that comes later counts.</summary>
    internal TimeSpan Left()
    {
        while (Volatile.Read(ref _at) is var before and not Over)
        {
            var left = most - time.GetElapsedTime(before);
            if (left > TimeSpan.Zero || !isFinal || Interlocked.CompareExchange(ref _at, Over, before) == before)
            {
                return left;
            }
        }

        return TimeSpan.Zero;
    }

    /// <summary>The connection is over.</summary>
    internal void Close() => Interlocked.Exchange(ref _at, Over);
}
