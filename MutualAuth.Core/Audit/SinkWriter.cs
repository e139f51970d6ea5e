using System.Globalization;
using System.Runtime.CompilerServices;
using MutualAuth.Collections;

namespace MutualAuth.Audit;

/// <summary>
/// Hands the events of all servers and clients that share a sink to it, in order. A sink that is slow, throws or never answers costs a bounded number
/// of events and at most one thread; what is lost is counted, and told by the next event that can be recorded.
/// </summary>
internal sealed class SinkWriter
{
    /// <summary>Events that wait for the sink or have its call under way.</summary>
    internal const int MaxPending = 1024;

    /// <summary>Of them, those about peers that no one has authenticated: they must not push out the others.</summary>
    internal const int MaxPendingOfStrangers = 512;

    private static readonly ConditionalWeakTable<IAuditSink, SinkWriter> s_writers = [];

    private readonly IAuditSink _sink;
    private readonly bool _takesAtOnce;
    private readonly ConditionalWeakTable<object, object> _watched = [];
    private readonly Lock _lock = new();
    private readonly Queue<PendingEvent> _queue = [];
    private bool _isWriting;
    private int _pending;
    private int _pendingOfStrangers;
    private long _lost;
    private string? _firstLost;
    private bool _isFailing;
    private bool _isTelling;

    private SinkWriter(IAuditSink sink)
    {
        _sink = sink;
        _takesAtOnce = sink is AuditTrail;
    }

    /// <summary>The one writer of a sink.</summary>
    internal static SinkWriter Of(IAuditSink sink)
    {
        (sink as AuditTrail)?.Attach();
        return s_writers.GetValue(sink, static key => new SinkWriter(key));
    }

    /// <summary>Whether nothing can be recorded any more because the owner has closed the trail.</summary>
    internal bool IsClosed => _sink is AuditTrail { IsClosing: true };

    /// <summary>How many events wait for the sink or have its call under way, and how many of them are of strangers, for tests.</summary>
    internal (int All, int OfStrangers) Pending
    {
        get
        {
            lock (_lock)
            {
                return (_pending, _pendingOfStrangers);
            }
        }
    }

    /// <summary>Whether this source, in this part, is seen for the first time: its changes are recorded once, however many servers use it.</summary>
    internal bool TryWatch(object source) => _watched.TryAdd(source, this);

    /// <summary>Records an event. Never throws, and does not wait for the sink.</summary>
    /// <returns>Null when it is recorded; otherwise what stood in its way. It completes within the time-out.</returns>
    internal Task<Exception?> WriteAsync(AuditEvent what, Auditor from, bool isOfStranger)
    {
        var pending = new PendingEvent(what, from, isOfStranger);
        pending.Begin(fault => Finish(pending, fault));
        var calls = default(Calls);
        bool fits;
        bool begins;
        lock (_lock)
        {
            fits = _pending < MaxPending && (!isOfStranger || _pendingOfStrangers < MaxPendingOfStrangers);
            begins = fits && !_takesAtOnce && !_isWriting;
            if (fits)
            {
                _pending++;
                _pendingOfStrangers += isOfStranger ? 1 : 0;
                _isWriting |= begins;
                if (_takesAtOnce)
                {
                    calls = Begin(pending); // a trail only puts it into its own queue, and so has it before its owner can close the trail
                }
                else
                {
                    _queue.Enqueue(pending);
                }
            }
        }

        // Outside the lock: the outcome of a call may be told to a logger of the application's.
        if (!fits)
        {
            Finish(pending, new IOException("too many events wait for the sink"));
            pending.Dispose();
        }
        else if (_takesAtOnce)
        {
            Follow(pending, calls);
        }
        else if (begins)
        {
            using (ExecutionContext.SuppressFlow())
            {
                _ = Task.Run(WriteAll);
            }
        }

        return pending.Outcome;
    }

    private void WriteAll()
    {
        while (true)
        {
            PendingEvent? next;
            lock (_lock)
            {
                _isWriting = _queue.TryDequeue(out next);
            }

            if (next is null)
            {
                return;
            }

            Follow(next, Begin(next));
        }
    }

    /// <summary>Calls the sink, unless it is too late because the sink was held by an earlier call.</summary>
    private Calls Begin(PendingEvent pending)
    {
        if (pending.Outcome.IsCompleted)
        {
            return default;
        }

        var lost = TakeWhatWasLost();
        var token = pending.TokenFor(_takesAtOnce);
        return new Calls(lost, lost is null ? null : Call(lost.ToEvent(), token), Call(pending.What, token));
    }

    /// <summary>What the call throws or returns decides; the time-out may have decided before.</summary>
    private void Follow(PendingEvent pending, Calls calls)
    {
        if (calls.Event is not { } call)
        {
            Release(pending);
            return;
        }

        if (calls.Lost is { } lost)
        {
            _ = TellAsync(calls.Telling!, lost.Count, pending.From);
        }

        _ = AwaitAsync(pending, call);
    }

    private Task Call(AuditEvent what, CancellationToken cancellationToken)
    {
        try
        {
            return _sink.RecordAsync(what, cancellationToken) ?? Task.FromException(new InvalidOperationException("the sink returned no task"));
        }
        catch (Exception exception)
        {
            return Task.FromException(exception);
        }
    }

    private async Task AwaitAsync(PendingEvent pending, Task call)
    {
        Exception? fault = null;
        try
        {
            await call.ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            fault = exception;
        }

        Finish(pending, fault);
        Release(pending);
    }

    /// <summary>What is to be told before the first event that the sink may take again; null where that is nothing.</summary>
    private LostEvents? TakeWhatWasLost()
    {
        lock (_lock)
        {
            if (_lost == 0 || _isTelling)
            {
                return null;
            }

            _isTelling = true;
            return new LostEvents(_lost, _firstLost ?? string.Empty);
        }
    }

    private async Task TellAsync(Task call, long lost, Auditor from)
    {
        try
        {
            await call.ConfigureAwait(false);
        }
        catch (Exception)
        {
            lock (_lock)
            {
                _isTelling = false;
            }

            return;
        }

        bool isOver;
        lock (_lock)
        {
            _isTelling = false;
            _lost -= lost;
            isOver = _lost == 0 && _isFailing;
            _isFailing &= !isOver;
            _firstLost = _lost == 0 ? null : _firstLost;
        }

        if (isOver)
        {
            from.SayRecordedAgain(lost);
        }
    }

    private void Finish(PendingEvent pending, Exception? fault)
    {
        if (pending.TryEnd(fault) && fault is not null)
        {
            NoteLoss(pending, fault);
        }
    }

    private void NoteLoss(PendingEvent pending, Exception fault)
    {
        bool isFirst;
        lock (_lock)
        {
            _lost++;
            _firstLost ??= pending.What.What;
            isFirst = !_isFailing;
            _isFailing = true;
        }

        pending.From.SayLost(pending.What, fault, isFirst && !IsClosed);
    }

    private void Release(PendingEvent pending)
    {
        pending.Dispose();
        lock (_lock)
        {
            _pending--;
            _pendingOfStrangers -= pending.IsOfStranger ? 1 : 0;
        }
    }

    /// <summary>The calls that begin with one event.</summary>
    private readonly record struct Calls(LostEvents? Lost, Task? Telling, Task? Event);

    /// <summary>How many events were lost, and of which kind the first was.</summary>
    private sealed record LostEvents(long Count, string First)
    {
        internal AuditEvent ToEvent()
        {
            var count = Count.ToString(CultureInfo.InvariantCulture);
            return new AuditEvent(AuditKinds.EventsLost, $"{count} events before this one could not be recorded")
            { Details = [new("events", count), new("first", First)] };
        }
    }

    /// <summary>One event on its way.</summary>
    private sealed class PendingEvent(AuditEvent what, Auditor from, bool isOfStranger) : IDisposable
    {
        private readonly TaskCompletionSource<Exception?> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private CancellationTokenSource? _deadline;
        private HandedToken? _handed;

        internal AuditEvent What => what;

        internal Auditor From => from;

        internal bool IsOfStranger => isOfStranger;

        internal Task<Exception?> Outcome => _outcome.Task;

        /// <summary>The token for a sink, which is ours, or code of the application's.</summary>
        internal CancellationToken TokenFor(bool isOurs) => isOurs ? _deadline!.Token : (_handed = new HandedToken(_deadline!.Token)).Token;

        internal void Begin(Action<Exception> end)
        {
            _deadline = from.BeginTimeout();
            _deadline.Token.UnsafeRegister(
                static state => ((Action<Exception>)state!)(new TimeoutException("no answer within its time")), end);
        }

        internal bool TryEnd(Exception? fault) => _outcome.TrySetResult(fault);

        public void Dispose()
        {
            _handed?.Dispose();
            _deadline?.Dispose();
        }
    }
}
