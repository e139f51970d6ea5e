using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using MutualAuth.Collections;
using MutualAuth.Connections;
using MutualAuth.Evidence;
using MutualAuth.Handshake;
using MutualAuth.Telemetry;
using MutualAuth.Validation;

namespace MutualAuth.Revalidation;

/// <summary>
/// What validators whose yes counts for a time say of the peers of live connections: they are asked again before it is over, and a connection
/// whose yes is over is no longer valid.
/// </summary>
/// <remarks>
/// By the monotonic clock. Each validator has a line of its own, of which those go first whose yes is over first, and so many places: a question
/// keeps its place until the validator has really come back.
/// </remarks>
internal sealed class LiveFacts
{
    // Asked between the half and three quarters of a lifetime, so that connections which began together do not ask together, and a quarter is left.
    private const double EarliestShare = 0.5;
    private const double JitterShare = 0.25;

    private static readonly TimeSpan s_shortestWait = TimeSpan.FromSeconds(1);

    private static readonly Comparer<(long At, long Number, LiveLease Lease)> s_order = Comparer<(long At, long Number, LiveLease Lease)>.Create(
        static (left, right) => left.At != right.At ? left.At.CompareTo(right.At) : left.Number.CompareTo(right.Number));

    private readonly ConnectionRevalidator _registry;
    private readonly RevalidationPolicy _policy;
    private readonly TimeProvider _time;
    private readonly TimeSpan _timeout;
    private readonly ILogger _logger;
    private readonly long _start;

    private readonly Lock _lock = new();
    private readonly ConditionalWeakTable<IPeerFactValidator, Line> _lines = [];
    private readonly SortedSet<(long At, long Number, LiveLease Lease)> _dues = new(s_order);

    private ITimer? _timer;
    private long? _ringsAt;
    private long _lastNumber;

    internal LiveFacts(ConnectionRevalidator registry, HandshakeOptions options, RevalidationPolicy policy, ILogger logger)
    {
        _registry = registry;
        _policy = policy;
        _time = options.TimeProvider;
        _timeout = options.AsyncValidatorTimeout;
        _logger = logger;
        _start = _time.GetTimestamp();
    }

    /// <summary>How many are waited for, for tests.</summary>
    internal int Count
    {
        get
        {
            lock (_lock)
            {
                return _dues.Count;
            }
        }
    }

    /// <summary>Waits until no question waits or runs, for tests.</summary>
    internal async Task IdleAsync()
    {
        while (true)
        {
            await Ringing.ConfigureAwait(false);
            lock (_lock)
            {
                if (_lines.All(static line => line.Value.Running + line.Value.Waiting.Count == 0))
                {
                    return;
                }
            }

            await Task.Yield();
        }
    }

    private long Elapsed => _time.GetElapsedTime(_start).Ticks;

    /// <summary>Gives what was said of the peer of a new connection its place.</summary>
    /// <exception cref="Exception">The clock threw.</exception>
    internal void Join(RevalidationEntry entry, ImmutableArray<FactLease> leases)
    {
        if (!leases.IsEmpty)
        {
            JoinWith(entry, leases);
        }
    }

    private void JoinWith(RevalidationEntry entry, ImmutableArray<FactLease> leases)
    {
        lock (_lock)
        {
            entry.Leases = [.. leases.Select(lease => new LiveLease(entry, (IPeerFactValidator)lease.Validator, lease, ++_lastNumber))];
            foreach (var live in entry.Leases)
            {
                Begin(live, live.Lease);
            }
        }

        Examine(entry);
    }

    internal void Leave(RevalidationEntry entry)
    {
        if (entry.Leases is not { Length: > 0 } leases)
        {
            return;
        }

        lock (_lock)
        {
            foreach (var live in leases)
            {
                live.HasLeft = true;
                Move(live, null);
                LineOf(live.Validator).Waiting.Remove((live.EndAt, live.Number, live));
            }
        }
    }

    /// <summary>Whether everything that was said still counts; otherwise the connection is no longer valid.</summary>
    internal bool Examine(RevalidationEntry entry)
    {
        Rejection? objection = null;
        lock (_lock)
        {
            var now = Elapsed;
            foreach (var live in entry.Leases)
            {
                objection ??= live.Lost ?? (live.EndAt <= now ? live.Lost = Over(live) : null);
            }
        }

        return objection is not null && Lose(entry, objection);
    }

    /// <summary>The lock is held.</summary>
    private void Begin(LiveLease live, FactLease lease)
    {
        live.Lease = lease;
        live.Lost = null;

        // One look at the clock: what passes between two would be given to the lease.
        var now = _time.GetTimestamp();
        var left = lease.Left(_time, now);
        var early = _registry.EarlyBy(live.Entry.SpreadShare, left);
        live.EndAt = _time.GetElapsedTime(_start, now).Ticks + (left - early).Ticks;
        var lifetime = lease.Lifetime - early;
        live.AskAt = live.EndAt - (long)(lifetime.Ticks * (1 - EarliestShare - (Random.Shared.NextDouble() * JitterShare)));
        Move(live, live.AskAt);
    }

    private static Rejection Over(LiveLease live) => FactQuestion.Expired(live.Lease, live.Problem);

    private bool Lose(RevalidationEntry entry, Rejection objection) =>
        _registry.Invalidate(entry, objection, _policy.ActionFor(objection.Reason), LossGround.Facts);

    private void OnTimer()
    {
        List<LiveLease> over = [];
        List<Line> lines = [];
        try
        {
            lock (_lock)
            {
                _ringsAt = null;
                TakeDue(over, lines);
                Arm();
            }
        }
        catch (Exception exception)
        {
            RevalidationLog.ClockFaulted(_logger, exception);
            RingLater();
            return;
        }

        if (over.Count + lines.Count > 0)
        {
            Ringing = ConnectionRevalidator.RunAside(() =>
            {
                foreach (var live in over)
                {
                    Try(() => Lose(live.Entry, live.Lost!));
                }

                lines.ForEach(Pump);
                return Task.CompletedTask;
            });
        }
    }

    /// <summary>What the timer began last, for tests.</summary>
    internal Task Ringing { get; private set; } = Task.CompletedTask;

    /// <summary>The lock is held.</summary>
    private void TakeDue(List<LiveLease> over, List<Line> lines)
    {
        var now = Elapsed;
        while (_dues.Count > 0 && _dues.Min.At <= now)
        {
            var live = _dues.Min.Lease;
            Move(live, null);
            if (live.EndAt <= now && live.Lost is null)
            {
                live.Lost = Over(live);
                over.Add(live);
            }

            if (live.AskAt <= now && !live.IsAsking && MayStand(live))
            {
                live.IsAsking = true;
                var line = LineOf(live.Validator);
                line.Waiting.Add((live.EndAt, live.Number, live));
                if (!lines.Contains(line))
                {
                    lines.Add(line);
                }
            }

            Move(live, NextLook(live));
        }
    }

    /// <summary>When to look at it next; null when that is not waited for: a question runs that will say so, or it cannot count again.</summary>
    private long? NextLook(LiveLease live) => live.Lost is null
        ? live.IsAsking ? live.EndAt : Math.Min(live.AskAt, live.EndAt)
        : live.IsAsking || !MayStand(live) ? null : live.AskAt;

    /// <summary>A connection that ends does not come back; one of which the application was only notified does.</summary>
    private bool MayStand(LiveLease live) => live.Lost is null || _policy.ActionFor(live.Lost.Reason) == InvalidationAction.Notify;

    private Line LineOf(IPeerFactValidator validator) => _lines.GetValue(validator, static _ => new Line());

    /// <summary>Begins as many questions as there are places.</summary>
    private void Pump(Line line)
    {
        while (Next(line) is { } live)
        {
            _ = AskAsync(live, line);
        }
    }

    private LiveLease? Next(Line line)
    {
        lock (_lock)
        {
            while (line.Running < _policy.MaxConcurrentFactQuestions && line.Waiting.Count > 0)
            {
                var live = line.Waiting.Min.Lease;
                line.Waiting.Remove(line.Waiting.Min);
                if (!live.HasLeft && !live.Entry.IsOver)
                {
                    line.Running++;
                    return live;
                }
            }

            return null;
        }
    }

    private async Task AskAsync(LiveLease live, Line line)
    {
        await Task.Yield();
        (Rejection? Objection, FactLease? Lease) answer = default;
        var problem = $"none within {_timeout}";
        var asked = Task.FromResult(answer);
        try
        {
            using var deadline = new CancellationTokenSource(_timeout, _time);
            var token = deadline.Token;
            if (live.Entry.Connection is { } connection)
            {
                // It may block its thread.
                asked = Task.Run(
                    () => HandedToken.RunAsync(
                        given => FactQuestion.AskAsync(live.Validator, live.Lease.Source, connection.Peer, _time, given), token).AsTask(),
                    CancellationToken.None);
                answer = await asked.WaitAsync(token).ConfigureAwait(false);
                answer = deadline.IsCancellationRequested && answer.Objection is null ? default : answer;
            }
        }
        catch (Exception exception)
        {
            problem = asked.IsCompleted ? $"an exception, {exception.GetType().Name}" : problem;
        }

        Try(() => Take(live, answer, problem));
        await ((Task)asked).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_lock)
        {
            line.Running--;
        }

        Pump(line);
    }

    private void Take(LiveLease live, (Rejection? Objection, FactLease? Lease) answer, string problem)
    {
        var entry = live.Entry;
        if (entry.Connection is not { } connection)
        {
            return;
        }

        if (answer.Lease is { } lease && lease.Left(_time) > TimeSpan.Zero)
        {
            Renew(live, lease, connection);
            return;
        }

        if (answer.Lease is { Lifetime: var lifetime })
        {
            problem = $"an answer that came after the {lifetime} for which it counts";
        }

        TimeSpan left;
        lock (_lock)
        {
            live.IsAsking = false;
            if (answer.Objection is { } no)
            {
                live.Lost = no;
            }

            live.Problem = problem;
            left = new TimeSpan(live.EndAt - Elapsed);
            live.AskAt = Elapsed + NextWait(live, left).Ticks;
            Move(live, NextLook(live));
        }

        if (answer.Objection is { } objection)
        {
            Lose(entry, objection);
        }
        else
        {
            RevalidationLog.FactsUnknown(
                _logger, live.Lease.Source, connection.Peer.Name, problem, left > TimeSpan.Zero ? left : TimeSpan.Zero);
        }
    }

    /// <summary>A third of what is left, so that there are several more; where nothing is left, a part of the lifetime.</summary>
    private static TimeSpan NextWait(LiveLease live, TimeSpan left)
    {
        var wait = left > TimeSpan.Zero && live.Lost is null ? left / 3 : live.Lease.Lifetime * EarliestShare;
        return wait > s_shortestWait ? wait : s_shortestWait;
    }

    private void Renew(LiveLease live, FactLease lease, IRevalidated connection)
    {
        var entry = live.Entry;
        bool isGood;
        bool isNew;
        lock (_lock)
        {
            live.IsAsking = false;
            if (live.HasLeft)
            {
                return;
            }

            if (live.EndAt <= Elapsed && live.Lost is null)
            {
                live.Lost = Over(live); // the timer has not come so far yet
            }

            isGood = MayStand(live);
            isNew = !live.Lease.Facts.SequenceEqual(lease.Facts);
            if (isGood)
            {
                Begin(live, lease);

                // In this lock, so that of two answers none is overwritten by an older view.
                connection.Replace([.. entry.Leases.Select(static each => each.Lease)]);
            }
        }

        if (!isGood)
        {
            Examine(entry);
            return;
        }

        RevalidationLog.FactsRenewed(_logger, lease.Source, connection.Peer.Name, FactQuestion.NamesOf(lease), lease.Lifetime);
        if (Array.TrueForAll(entry.Leases, static each => each.Lost is null))
        {
            _registry.FactsStand(entry);
        }

        if (isNew)
        {
            _registry.FactsChanged(entry);
        }
    }

    /// <summary>The lock is held.</summary>
    private void Move(LiveLease live, long? due)
    {
        if (live.Due is { } before)
        {
            _dues.Remove((before, live.Number, live));
        }

        live.Due = live.HasLeft ? null : due;
        if (live.Due is { } now)
        {
            _dues.Add((now, live.Number, live));
            Arm();
        }
    }

    /// <summary>The lock is held.</summary>
    private void Arm()
    {
        if (_dues.Count == 0 || _ringsAt <= _dues.Min.At)
        {
            return;
        }

        if (_timer is null)
        {
            using var nothingOfTheCallers = ExecutionContext.SuppressFlow();
            _timer = _time.CreateTimer(static state => ((LiveFacts)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        try
        {
            _timer.RingAfter(new TimeSpan(_dues.Min.At), _time, _start);
            _ringsAt = _dues.Min.At;
        }
        catch (Exception exception)
        {
            RevalidationLog.ClockFaulted(_logger, exception);
            RingLater();
        }
    }

    private void RingLater()
    {
        try
        {
            _ringsAt = null;
            _timer?.Change(s_shortestWait, Timeout.InfiniteTimeSpan);
        }
        catch (Exception exception)
        {
            RevalidationLog.ClockFaulted(_logger, exception);
        }
    }

    /// <summary>A logger of the application's, or its clock, that throws: the others are still to be looked at.</summary>
    private void Try(Action action)
    {
        try
        {
            action();
        }
        catch (Exception exception)
        {
            RevalidationLog.RejudgeFaulted(_logger, exception);
        }
    }

    /// <summary>The questions to one validator.</summary>
    private sealed class Line
    {
        internal SortedSet<(long EndAt, long Number, LiveLease Lease)> Waiting { get; } = new(s_order);

        internal int Running { get; set; }
    }
}
