using Microsoft.Extensions.Logging;
using MutualAuth.Authorization;
using MutualAuth.Collections;
using MutualAuth.Credentials;
using MutualAuth.Telemetry;

namespace MutualAuth.Revalidation;

/// <summary>
/// One source of facts that live connections stand on, for as long as there is one: asked about what it announces, and about everything at each
/// interval. One question at a time; a source that does not answer holds up no other.
/// </summary>
internal sealed class LiveSource
{
    private const int MaxFailuresInARow = 3;

    // Not the interval: a store that takes longer than that for its answer would never be listened to. Staleness is counted beside the question.
    private static readonly TimeSpan s_longestAnswer = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_shortestWait = TimeSpan.FromSeconds(1);

    private readonly LiveUsers _users;
    private readonly FactReader _reader;
    private readonly RevalidationPolicy _policy;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly BlockingCallThreads _threads = new(1);

    private readonly Lock _subscribing = new(); // taken before a source's own lock, and never by what a source calls
    private bool _isSubscribed;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, LiveFact> _byKey = new(StringComparer.Ordinal);
    private readonly HashSet<string> _announced = new(StringComparer.Ordinal);
    private ITimer? _timer;
    private bool _isArmed;
    private int _count;
    private bool _concernsAll;
    private bool _isAnnouncement;
    private bool _isAsking;
    private bool _isSilent;
    private bool _isClosed;
    private int _round;

    internal LiveSource(LiveUsers users, FactReader reader, RevalidationPolicy policy, TimeProvider time, ILogger logger)
    {
        _users = users;
        _reader = reader;
        _policy = policy;
        _time = time;
        _logger = logger;
    }

    /// <summary>Whether it announces changes; known once it has been subscribed to.</summary>
    internal bool Announces { get; private set; }

    /// <summary>The question that was begun last, for tests.</summary>
    internal Task Asking { get; private set; } = Task.CompletedTask;

    /// <summary>What the interval that ended last began beside a question, for tests.</summary>
    internal Task Ending { get; private set; } = Task.CompletedTask;

    internal void Add(LiveFact fact)
    {
        lock (_lock)
        {
            if (_byKey.TryGetValue(fact.Fact.Key, out var head))
            {
                fact.Next = head;
                head.Previous = fact;
            }

            _byKey[fact.Fact.Key] = fact;
            _count++;
            if (!_isArmed)
            {
                Arm(isOverdue: false);
            }
        }
    }

    /// <summary>Returns how many facts are left. With the last one, the caller closes it.</summary>
    internal int Remove(LiveFact fact)
    {
        lock (_lock)
        {
            if (fact.Previous is { } previous)
            {
                previous.Next = fact.Next;
            }
            else if (fact.Next is { } next)
            {
                _byKey[fact.Fact.Key] = next;
            }
            else
            {
                _byKey.Remove(fact.Fact.Key);
            }

            if (fact.Next is { } after)
            {
                after.Previous = fact.Previous;
            }

            fact.Previous = fact.Next = null;
            return --_count;
        }
    }

    /// <summary>Listens to the source, unless that is done. What it announced before is unknown: every login that is under way asks again.</summary>
    internal void Subscribe()
    {
        lock (_subscribing)
        {
            if (_isSubscribed || _isClosed)
            {
                return;
            }

            Announces = _reader.Subscribe(OnChanged);
            _isSubscribed = true;
            if (Announces)
            {
                _users.Moved();
            }
        }
    }

    internal void Close()
    {
        ITimer? timer;
        lock (_lock)
        {
            _isClosed = true;
            timer = _timer;
            _timer = null;
        }

        try
        {
            timer?.Dispose();
            lock (_subscribing)
            {
                if (_isSubscribed)
                {
                    _reader.Unsubscribe();
                }
            }
        }
        catch (Exception exception)
        {
            RevalidationLog.SearchFaulted(_logger, exception);
        }
    }

    /// <summary>Has the source asked about one key soon, if it announces changes: one may have come between a login and its place here.</summary>
    internal void AskSoon(string key)
    {
        if (Announces)
        {
            Change([key], isAnnouncement: false);
        }
    }

    /// <summary>Whether asking it never blocks a thread.</summary>
    internal bool NeverBlocks => _reader.NeverBlocks;

    /// <summary>Asks about one key, for a connection that the application does not have yet.</summary>
    internal ValueTask<FactAnswers> AskAsync(string key, CancellationToken cancellationToken) => _reader.AskAsync([key], cancellationToken);

    private void OnChanged(IReadOnlyCollection<string>? keys)
    {
        _users.Moved();
        Change(keys, isAnnouncement: true);
    }

    private void Change(IReadOnlyCollection<string>? keys, bool isAnnouncement)
    {
        lock (_lock)
        {
            string[] concerned = keys is null ? [] : [.. keys.Where(_byKey.ContainsKey)];
            if (_isClosed || (keys is null ? _count == 0 : concerned.Length == 0))
            {
                return;
            }

            _concernsAll |= keys is null;
            _announced.UnionWith(concerned);

            _isAnnouncement |= isAnnouncement;
            if (_isAsking)
            {
                return;
            }

            _isAsking = true;
            Asking = ConnectionRevalidator.RunAside(AskAllAsync);
        }
    }

    private void OnTick()
    {
        bool begins;
        bool isOverdue;
        lock (_lock)
        {
            _isArmed = false;
            if (_isClosed)
            {
                return;
            }

            _concernsAll = true;
            begins = !_isAsking;
            isOverdue = _isSilent || !begins;
            _isAsking = true;
            Arm(isOverdue);
            var work = ConnectionRevalidator.RunAside(async () =>
            {
                if (isOverdue)
                {
                    EndStale();
                }

                if (begins)
                {
                    await AskAllAsync().ConfigureAwait(false);
                }
            });
            (Asking, Ending) = begins ? (work, Ending) : (Asking, work);
        }
    }

    private async Task AskAllAsync()
    {
        while (TryTake(out var keys, out var number, out var isAnnouncement))
        {
            try
            {
                await AskAsync(keys, number, isAnnouncement).ConfigureAwait(false);
            }
            catch (Exception)
            {
                // The application's logger threw. What is to end has ended, and the next question must be asked.
            }
        }
    }

    private bool TryTake(out string[] keys, out long number, out bool isAnnouncement)
    {
        lock (_lock)
        {
            keys = _isClosed ? [] : _concernsAll ? [.. _byKey.Keys] : [.. _announced.Where(_byKey.ContainsKey)];
            isAnnouncement = _isAnnouncement;
            _concernsAll = _isAnnouncement = false;
            _announced.Clear();
            number = _users.NextNumber();
            return _isAsking = keys.Length > 0;
        }
    }

    private async Task AskAsync(string[] keys, long number, bool isAnnouncement)
    {
        var (lost, unknown, inARow) = (0, 0, 0);
        Exception? problem = null;
        var age = TimeSpan.Zero;
        foreach (var batch in Rotate(keys).Chunk(_reader.MaxKeys))
        {
            try
            {
                using var timeout = new CancellationTokenSource(s_longestAnswer, _time);
                var answers = await _threads.RunAsync(token => _reader.AskAsync(batch, token), timeout.Token).ConfigureAwait(false);
                lost += Apply(batch, number, answers, ref unknown);
                (inARow, age) = (0, answers.Age > age ? answers.Age : age);
            }
            catch (Exception exception)
            {
                problem = exception;
                if (++inARow == MaxFailuresInARow)
                {
                    break;
                }
            }
        }

        Note(
            problem is not null ? CredentialLog.Describe(problem)
            : unknown > 0 ? $"It cannot say it of {unknown}."
            : age > _policy.RecheckInterval ? $"What it says is {age} old."
            : null);
        if (isAnnouncement || lost > 0)
        {
            RevalidationLog.UsersJudgedAgain(_logger, _reader.Name, keys.Length, lost);
        }
    }

    /// <summary>A source that is asked one by one, and fails now and then, is not always asked about the same ones.</summary>
    private string[] Rotate(string[] keys)
    {
        if (_reader.MaxKeys >= keys.Length)
        {
            return keys;
        }

        var first = (int)((uint)(++_round * 7919) % (uint)keys.Length);
        return [.. keys.AsSpan(first), .. keys.AsSpan(0, first)];
    }

    private int Apply(string[] keys, long number, FactAnswers answers, ref int unknown)
    {
        var goodAt = (_users.Elapsed - answers.Age).Ticks;
        var facts = new List<LiveFact>();
        var lost = 0;
        foreach (var key in keys)
        {
            facts.Clear();
            lock (_lock)
            {
                for (var fact = _byKey.GetValueOrDefault(key); fact is not null; fact = fact.Next)
                {
                    if (fact.Number < number)
                    {
                        facts.Add(fact);
                    }
                }
            }

            foreach (var fact in facts)
            {
                lost += _users.Take(fact, answers, goodAt, out var isKnown) ? 1 : 0;
                unknown += isKnown ? 0 : 1;
            }
        }

        return lost;
    }

    private void Note(string? problem)
    {
        bool before;
        bool now;
        lock (_lock)
        {
            (before, now) = (_isSilent, problem is not null);
            _isSilent = now;
            if (now && !_isClosed)
            {
                Arm(isOverdue: true);
            }
        }

        if (now && !before)
        {
            RevalidationLog.UsersUnreadable(_logger, _reader.Name, _policy.MaxUserStaleness, problem!);
        }
        else if (before && !now)
        {
            RevalidationLog.UsersReadable(_logger, _reader.Name);
        }
    }

    /// <summary>How long until the next fact has been unknown for too long, or the source is to be asked, whichever comes first.</summary>
    private TimeSpan UntilStale(TimeSpan elapsed)
    {
        var first = long.MaxValue;
        foreach (var head in _byKey.Values)
        {
            for (var fact = head; fact is not null; fact = fact.Next)
            {
                first = fact.Objection is not null ? first : Math.Min(first, fact.GoodAt);
            }
        }

        if (first == long.MaxValue)
        {
            return _policy.RecheckInterval;
        }

        var left = TimeSpan.FromTicks(first) + _policy.MaxUserStaleness - elapsed;
        return left > _policy.RecheckInterval ? _policy.RecheckInterval : left < s_shortestWait ? s_shortestWait : left;
    }

    private void EndStale()
    {
        var lastGood = (_users.Elapsed - _policy.MaxUserStaleness).Ticks;
        var stale = new List<LiveFact>();
        lock (_lock)
        {
            foreach (var head in _byKey.Values)
            {
                for (var fact = head; fact is not null; fact = fact.Next)
                {
                    if (fact.Objection is null && fact.GoodAt <= lastGood)
                    {
                        stale.Add(fact);
                    }
                }
            }
        }

        foreach (var fact in stale)
        {
            _users.Lose(
                fact,
                new Rejection(
                    RejectionReason.UserStoreUnreadable,
                    $"an answer about {fact.Fact} every {_policy.MaxUserStaleness}",
                    $"{_reader.Name} that has not given one for as long"));
        }
    }

    /// <summary>Under the lock. When something is overdue, it rings for what is unknown for too long next.</summary>
    private void Arm(bool isOverdue)
    {
        try
        {
            using (ExecutionContext.SuppressFlow())
            {
                _timer ??= _time.CreateTimer(
                    static state => ((LiveSource)state!).OnTick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }

            var elapsed = _users.Elapsed;
            _timer.RingAfter(elapsed + (isOverdue ? UntilStale(elapsed) : _policy.RecheckInterval), _time, _users.Start);
            _isArmed = true;
        }
        catch (Exception exception)
        {
            // The next connection tries again.
            RevalidationLog.ClockFaulted(_logger, exception);
        }
    }
}
