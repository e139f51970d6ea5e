namespace MutualAuth.Transport;

/// <summary>When an octet of the application's moved last on a connection. Safe for use from many threads.</summary>
internal sealed class IdleClock
{
    private readonly TimeProvider _time;
    private long _movedAt;

    internal IdleClock(TimeProvider time)
    {
        _time = time;
        _movedAt = time.GetTimestamp();
    }

    /// <summary>For how long none has moved.</summary>
    internal TimeSpan Elapsed => _time.GetElapsedTime(Volatile.Read(ref _movedAt));

    /// <summary>Some have moved just now. Never throws: a clock that fails must not fail a read or a write.</summary>
    internal void Moved()
    {
        try
        {
            Volatile.Write(ref _movedAt, _time.GetTimestamp());
        }
        catch (Exception)
        {
            // The registry, which asks the same clock, says so.
        }
    }
}
