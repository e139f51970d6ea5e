using System.Net;

namespace MutualAuth.Credentials;

/// <summary>
/// Lets a few failures pass, and then doubles the wait after each: per user from one address, per address, and, later, per user from anywhere.
/// </summary>
/// <remarks>
/// A success clears the user's count at its address, and from then on nobody who is somewhere else can lock the user out there: the third count is for
/// addresses from which the user has not logged in. Once waiting has begun, attempts are let through one at a time. Counts fade after the longest wait.
/// They are held in this process, for at most 65,536 keys; the one that failed least recently goes first. Safe for use from many threads.
/// </remarks>
public sealed class BackoffAttemptLimiter : IAttemptLimiter
{
    private const int MaxKeys = 65_536;
    private const int MaxConcurrent = 64;

    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly Dictionary<Key, LinkedListNode<Count>> _counts = [];
    private readonly LinkedList<Count> _byAge = new();
    private readonly FamiliarLogins _familiar = new();

    /// <summary>Makes a limiter without any counts.</summary>
    /// <param name="timeProvider">The clock; null means the system's.</param>
    public BackoffAttemptLimiter(TimeProvider? timeProvider = null) => _time = timeProvider ?? TimeProvider.System;

    /// <summary>Failures of one user from one address before waiting begins. Default: 5.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public int FreeFailuresPerUserAndAddress { get; init => field = NotNegative(value); } = 5;

    /// <summary>Failures from one address before waiting begins. Default: 20. An IPv6 /64 counts as one address.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public int FreeFailuresPerAddress { get; init => field = NotNegative(value); } = 20;

    /// <summary>Failures of one user from anywhere before waiting begins. Default: 100; a low figure lets strangers lock users out.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public int FreeFailuresPerUser { get; init => field = NotNegative(value); } = 100;

    /// <summary>The first wait; each further failure doubles it. Default: one second.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not more than nothing.</exception>
    public TimeSpan FirstWait { get; init => field = MoreThanNothing(value); } = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait, and how long a count is remembered. Default: fifteen minutes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not more than nothing.</exception>
    public TimeSpan LongestWait { get; init => field = MoreThanNothing(value); } = TimeSpan.FromMinutes(15);

    /// <summary>How many counts are held.</summary>
    internal int Keys
    {
        get
        {
            lock (_lock)
            {
                return _counts.Count;
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask<TimeSpan?> BeginAsync(LoginAttempt attempt, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(attempt);
        lock (_lock)
        {
            var now = _time.GetTimestamp();
            var wait = TimeSpan.Zero;
            var isFamiliar = _familiar.Contains(attempt);
            foreach (var (key, free) in KeysOf(attempt))
            {
                if (!(isFamiliar && key.Address is null) && Find(key, now) is { } count)
                {
                    // Attempts that run at once could else all be made before the first of them has failed.
                    var remaining = count.Pending >= (count.Failures > free ? 1 : MaxConcurrent) ? FirstWait : count.Wait - _time.GetElapsedTime(count.FailedAt, now);
                    wait = remaining > wait ? remaining : wait;
                }
            }

            if (wait > TimeSpan.Zero)
            {
                return ValueTask.FromResult<TimeSpan?>(wait);
            }

            foreach (var (key, _) in KeysOf(attempt))
            {
                FindOrAdd(key, now).Pending++;
            }

            return default;
        }
    }

    /// <inheritdoc/>
    public ValueTask EndAsync(LoginAttempt attempt, AttemptOutcome outcome)
    {
        ArgumentNullException.ThrowIfNull(attempt);
        lock (_lock)
        {
            var now = _time.GetTimestamp();
            if (outcome == AttemptOutcome.Succeeded)
            {
                _familiar.Add(attempt);
            }

            foreach (var (key, free) in KeysOf(attempt))
            {
                var count = FindOrAdd(key, now);
                count.Pending = Math.Max(0, count.Pending - 1);
                if (outcome == AttemptOutcome.Failed)
                {
                    Renew(key);
                    count.Failures++;
                    count.FailedAt = now;
                    count.Wait = WaitAfter(count.Failures - free);
                }
                else if (outcome == AttemptOutcome.Succeeded && key.User is not null && key.Address is not null)
                {
                    count.Failures = 0;
                    count.Wait = TimeSpan.Zero;
                }
            }
        }

        return default;
    }

    // As a floating-point number, which does not turn negative however long the first wait is.
    private TimeSpan WaitAfter(int failuresTooMany)
    {
        var ticks = FirstWait.Ticks * Math.Pow(2, Math.Min(failuresTooMany, 64) - 1);
        return failuresTooMany <= 0 ? TimeSpan.Zero : ticks >= LongestWait.Ticks ? LongestWait : TimeSpan.FromTicks((long)ticks);
    }

    private IEnumerable<(Key Key, int Free)> KeysOf(LoginAttempt attempt)
    {
        var address = KeyDerivation.KeyOf(attempt.Address);
        yield return (new Key(null, address), FreeFailuresPerAddress);
        if (attempt.UserName.Length > 0)
        {
            yield return (new Key(attempt.UserName, address), FreeFailuresPerUserAndAddress);
            yield return (new Key(attempt.UserName, null), FreeFailuresPerUser);
        }
    }

    private Count? Find(Key key, long now)
    {
        if (!_counts.TryGetValue(key, out var node))
        {
            return null;
        }

        if (node.Value.Pending == 0 && _time.GetElapsedTime(node.Value.FailedAt, now) >= LongestWait)
        {
            _byAge.Remove(node);
            _counts.Remove(key);
            return null;
        }

        return node.Value;
    }

    private Count FindOrAdd(Key key, long now)
    {
        if (Find(key, now) is { } known)
        {
            return known;
        }

        if (_counts.Count >= MaxKeys)
        {
            _counts.Remove(_byAge.First!.Value.Key);
            _byAge.RemoveFirst();
        }

        var count = new Count(key) { FailedAt = now };
        _counts.Add(key, _byAge.AddLast(count));
        return count;
    }

    /// <summary>Whoever keeps failing is not forgotten for others who have just begun.</summary>
    private void Renew(Key key)
    {
        var node = _counts[key];
        _byAge.Remove(node);
        _byAge.AddLast(node);
    }

    private static int NotNegative(int value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        return value;
    }

    private static TimeSpan MoreThanNothing(TimeSpan value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
        return value;
    }

    private readonly record struct Key(string? User, IPAddress? Address);

    private sealed class Count(Key key)
    {
        internal Key Key => key;

        internal int Failures { get; set; }

        internal int Pending { get; set; }

        internal long FailedAt { get; set; }

        internal TimeSpan Wait { get; set; }
    }
}
