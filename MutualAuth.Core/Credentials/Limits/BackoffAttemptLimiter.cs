using System.Numerics;
using MutualAuth.Collections;

namespace MutualAuth.Credentials;

/// <summary>
/// Allows a few failures, and then doubles the wait after each: per user at one place, per place, and, later, per user from anywhere. A
/// place is the client's accepted certificate; without one, its address; without either, users are counted from anywhere only.
/// </summary>
/// <remarks>
/// A success clears the user's count at its place, and makes the place known: from then on neither failures elsewhere, nor failures of
/// others at the same address, make the user wait there. Running attempts count as failures until they have ended. Tokens and
/// <c>EXTERNAL</c> cannot be guessed, and are neither counted nor delayed. Counts decay after the longest wait. They are held in this
/// process, for at most 65,536 keys: those with the fewest failures are removed first, and a name that has not failed never displaces one
/// that has. Safe for use from many threads.
/// </remarks>
public sealed class BackoffAttemptLimiter : IAttemptLimiter, INeverBlocks
{
    private const int MaxKeys = 65_536;
    private const int Ranks = 8;

    /// <summary>The most attempts for one user or place that run at once, however many failures are free.</summary>
    private const int MaxConcurrent = 64;

    /// <summary>How many times the free failures of a /64 its /48 has: the owner of one /64 usually has many others in the same /48.</summary>
    private const int AddressesPerNetwork = 5;

    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly BoundedCache<Key, Count> _counts = new(MaxKeys, Ranks);
    private readonly KnownLoginAddresses _familiar = new();

    /// <summary>Makes a limiter without any counts.</summary>
    /// <param name="timeProvider">The clock; null means the system's.</param>
    public BackoffAttemptLimiter(TimeProvider? timeProvider = null) => _time = timeProvider ?? TimeProvider.System;

    /// <summary>Failures of one user at one place before waiting begins. Default: 5.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public int FailuresBeforeWaitPerUserAndAddress { get; init => field = NotNegative(value); } = 5;

    /// <summary>
    /// Failures at one place before waiting begins. Default: 20. An IPv6 /64 counts as one address, and five times as many are free in a /48.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public int FailuresBeforeWaitPerAddress { get; init => field = NotNegative(value); } = 20;

    /// <summary>Failures of one user from anywhere before waiting begins. Default: 100; a low figure lets strangers lock users out.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public int FailuresBeforeWaitPerUser { get; init => field = NotNegative(value); } = 100;

    /// <summary>The first wait; each further failure doubles it. Default: one second.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is zero or negative.</exception>
    public TimeSpan FirstWait { get; init => field = MoreThanNothing(value); } = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait, and how long a count is remembered. Default: fifteen minutes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is zero or negative.</exception>
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
                if (!(isFamiliar && key is not { User: not null, Place: not null }) && Find(key, now) is { } count)
                {
                    // Otherwise concurrent attempts could all be made before the first of them has failed.
                    var places = Math.Clamp(free + 1L - count.Failures, 1, MaxConcurrent);
                    var remaining = count.Pending >= places ? FirstWait : count.Wait - _time.GetElapsedTime(count.FailedAt, now);
                    wait = remaining > wait ? remaining : wait;
                }
            }

            if (wait > TimeSpan.Zero)
            {
                return ValueTask.FromResult<TimeSpan?>(wait);
            }

            foreach (var (key, _) in KeysOf(attempt))
            {
                if (FindOrAdd(key, now, mayEvictFailures: false) is { } count)
                {
                    count.Pending++;
                }
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
                if ((outcome == AttemptOutcome.Failed ? FindOrAdd(key, now, mayEvictFailures: true) : Find(key, now)) is not { } count)
                {
                    continue;
                }

                count.Pending = Math.Max(0, count.Pending - 1);
                if (outcome == AttemptOutcome.Failed)
                {
                    count.FailedAt = now;
                    count.Wait = WaitAfter(count.Failures + 1 - free);
                    Move(key, count, count.Failures + 1);
                }
                else if (outcome == AttemptOutcome.Succeeded && key.User is not null && key.Place is not null)
                {
                    count.Wait = TimeSpan.Zero;
                    Move(key, count, 0);
                }

                // A user without failures needs no entry.
                if (count is { Failures: 0, Pending: 0 })
                {
                    _counts.Remove(key);
                }
            }
        }

        return default;
    }

    /// <summary>The origin of an attempt: the key of the accepted certificate, the address, or unknown.</summary>
    internal static string? PlaceOf(LoginAttempt attempt) => attempt.Certificate is { } certificate
        ? certificate.KeyDigest
        : AddressKey.Of(attempt.Address)?.ToString();

    // As a floating-point number, which does not turn negative however long the first wait is.
    private TimeSpan WaitAfter(int failuresTooMany)
    {
        var ticks = FirstWait.Ticks * Math.Pow(2, Math.Min(failuresTooMany, 64) - 1);
        return failuresTooMany <= 0 ? TimeSpan.Zero : ticks >= LongestWait.Ticks ? LongestWait : TimeSpan.FromTicks((long)ticks);
    }

    private IEnumerable<(Key Key, int Free)> KeysOf(LoginAttempt attempt)
    {
        if (!SaslMechanismNames.CanBeGuessed(attempt.Mechanism))
        {
            yield break;
        }

        var place = PlaceOf(attempt);
        if (place is not null)
        {
            yield return (new Key(null, place), FailuresBeforeWaitPerAddress);
        }

        if (attempt.Certificate is null && AddressKey.NetworkOf(attempt.Address) is { } network)
        {
            yield return (new Key(null, network), (int)Math.Min((long)FailuresBeforeWaitPerAddress * AddressesPerNetwork, int.MaxValue));
        }

        if (attempt.UserName.Length > 0)
        {
            yield return (new Key(attempt.UserName, null), FailuresBeforeWaitPerUser);
            if (place is not null)
            {
                yield return (new Key(attempt.UserName, place), FailuresBeforeWaitPerUserAndAddress);
            }
        }
    }

    private Count? Find(Key key, long now)
    {
        if (!_counts.TryGet(key, out var count))
        {
            return null;
        }

        if (HasFaded(count, now))
        {
            _counts.Remove(key);
            return null;
        }

        return count;
    }

    private Count? FindOrAdd(Key key, long now, bool mayEvictFailures)
    {
        if (Find(key, now) is { } known)
        {
            return known;
        }

        // What has faded goes first, then what has never failed, then what has failed the fewest times and the longest ago.
        if (_counts.IsFull && !_counts.TryEvict(oldest => HasFaded(oldest, now), mayEvictFailures ? Ranks - 1 : 0))
        {
            return null;
        }

        var count = new Count { FailedAt = now };
        _counts.Set(key, count);
        return count;
    }

    private bool HasFaded(Count count, long now) => count.Pending == 0 && _time.GetElapsedTime(count.FailedAt, now) >= LongestWait;

    private void Move(Key key, Count count, int failures)
    {
        count.Failures = failures;
        _counts.Set(key, count, RankOf(failures));
    }

    /// <summary>0, 1, 2 to 3, 4 to 7 failures, and so on.</summary>
    private static int RankOf(int failures) => failures == 0 ? 0 : Math.Min(BitOperations.Log2((uint)failures) + 1, Ranks - 1);

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

    private readonly record struct Key(string? User, string? Place);

    private sealed class Count
    {
        internal int Failures { get; set; }

        internal int Pending { get; set; }

        internal long FailedAt { get; set; }

        internal TimeSpan Wait { get; set; }
    }
}
