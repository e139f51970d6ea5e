using System.Globalization;
using System.Runtime.CompilerServices;

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

    /// <summary>Whether this source, in this part, is seen for the first time: its changes are recorded once, however many servers use it.</summary>
    internal bool TryWatch(object source) => _watched.TryAdd(source, this);

    /// <summary>Records an event. Never throws, and does not wait for the sink.</summary>
    /// <returns>Null when it is recorded; otherwise what stood in its way. It completes within the time-out.</returns>
    internal Task<Exception?> WriteAsync(AuditEvent what, Auditor from, bool isOfStranger)
    {
        var pending = new PendingEvent(what, from, isOfStranger);
        lock (_lock)
        {
            if (_pending >= MaxPending || (isOfStranger && _pendingOfStrangers >= MaxPendingOfStrangers))
            {
                return Task.FromResult<Exception?>(NoteLoss(pending, new IOException("too many events wait for the sink")));
            }

            _pending++;
            _pendingOfStrangers += isOfStranger ? 1 : 0;
            pending.Begin(fault => Finish(pending, fault));
            if (_takesAtOnce)
            {
                Hand(pending); // it only puts it into its own queue, and so an event is in it before its owner can close it
                return pending.Outcome;
            }

            _queue.Enqueue(pending);
            if (_isWriting)
            {
                return pending.Outcome;
            }

            _isWriting = true;
        }

        using (ExecutionContext.SuppressFlow())
        {
            _ = Task.Run(WriteAll);
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

            Hand(next);
        }
    }

    /// <summary>Calls the sink. What its call throws or returns decides; the time-out may have decided before.</summary>
    private void Hand(PendingEvent pending)
    {
        if (pending.Outcome.IsCompleted)
        {
            Release(pending); // too late: the sink was held by an earlier call
            return;
        }

        TellWhatWasLost(pending);
        _ = AwaitAsync(pending, Call(pending.What, pending.Token));
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

    /// <summary>Before the first event that the sink may take again.</summary>
    private void TellWhatWasLost(PendingEvent next)
    {
        long lost;
        string? first;
        lock (_lock)
        {
            if (_lost == 0 || _isTelling)
            {
                return;
            }

            _isTelling = true;
            (lost, first) = (_lost, _firstLost);
        }

        var count = lost.ToString(CultureInfo.InvariantCulture);
        var told = new AuditEvent(AuditKinds.EventsLost, $"{count} events before this one could not be recorded")
        { Details = [new("events", count), new("first", first ?? string.Empty)] };
        _ = TellAsync(Call(told, next.Token), lost, next.From);
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

    private Exception NoteLoss(PendingEvent pending, Exception fault)
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
        return fault;
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

    /// <summary>One event on its way.</summary>
    private sealed class PendingEvent(AuditEvent what, Auditor from, bool isOfStranger) : IDisposable
    {
        private readonly TaskCompletionSource<Exception?> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private CancellationTokenSource? _deadline;

        internal AuditEvent What => what;

        internal Auditor From => from;

        internal bool IsOfStranger => isOfStranger;

        internal Task<Exception?> Outcome => _outcome.Task;

        internal CancellationToken Token => _deadline!.Token;

        internal void Begin(Action<Exception> end)
        {
            _deadline = from.BeginTimeout();
            _deadline.Token.UnsafeRegister(
                static state => ((Action<Exception>)state!)(new TimeoutException("no answer within its time")), end);
        }

        internal bool TryEnd(Exception? fault) => _outcome.TrySetResult(fault);

        public void Dispose() => _deadline?.Dispose();
    }
}
