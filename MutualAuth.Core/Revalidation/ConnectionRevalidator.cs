using System.Globalization;
using Microsoft.Extensions.Logging;
using MutualAuth.Connections;
using MutualAuth.Errors;
using MutualAuth.Handshake;
using MutualAuth.Telemetry;
using MutualAuth.Validation;

namespace MutualAuth.Revalidation;

/// <summary>
/// The live connections of one server or client, re-evaluated by the current rules whenever these change, and when a date or duration has passed.
/// </summary>
/// <remarks>
/// No change falls between a judgement and its registration: a handshake takes a <see cref="RegistrationScope"/> with the generation before
/// it judges, every change moves the generation before it searches the affected connections, and a connection that registers with an old
/// generation is re-evaluated at once.
/// </remarks>
internal sealed class ConnectionRevalidator
{
    private const int BatchSize = 64;

    private readonly CertificateStage _stage;
    private readonly HandshakeOptions _options;
    private readonly RevalidationPolicy _policy;
    private readonly ILogger _logger;
    private readonly SourceSubscriptions _watch;
    private readonly KeyValuePair<string, object?> _role;

    private readonly Lock _lock = new();
    private readonly HashSet<RevalidationEntry> _entries = [];
    private readonly IssuerIndex _index = new();
    private readonly DueTimer _timer;
    private long _generation;
    private long _lastNumber;
    private RevocationSnapshot? _statements;
    private readonly Queue<MutualTlsConnection> _untold = new();
    private bool _isTelling;
    private bool _isWalking;
    private bool _isPending;
    private bool _concernsAll;

    internal ConnectionRevalidator(CertificateStage stage, HandshakeOptions options, RevalidationPolicy policy, PeerRole ourRole)
    {
        _stage = stage;
        _options = options;
        _policy = policy;
        _logger = MutualAuthTelemetry.CreateLogger(options.LoggerFactory);
        _role = new("mutualauth.role", ourRole == PeerRole.Server ? "server" : "client");
        _watch = new SourceSubscriptions(this, options.ReloadableStatements(), options.ReloadableRules());
        _timer = new DueTimer(options.TimeProvider, OnTimer);
    }

    /// <summary>How many connections are registered, for tests.</summary>
    internal int Count
    {
        get
        {
            lock (_lock)
            {
                return _entries.Count;
            }
        }
    }

    private DateTimeOffset Now => _options.TimeProvider.GetUtcNow();

    /// <summary>
    /// As <see cref="Begin"/>, for an attempt. The first user subscribes to sources and reads them, which may be the application's own; who comes
    /// while there is one touches none.
    /// </summary>
    internal ValueTask<RegistrationScope> BeginAsync(HandshakeAttempt attempt) => _watch.TryJoin()
        ? ValueTask.FromResult(Issue())
        : attempt.AskAsync("sources that live connections stand on", () => ValueTask.FromResult(Begin()), static late => late.Dispose());

    /// <summary>To be called before the peer of a handshake is judged, and disposed of when that has an outcome.</summary>
    internal RegistrationScope Begin()
    {
        if (_watch.Enter())
        {
            // Sources may have changed while there was no subscription.
            TakeStatements();
        }

        return Issue();
    }

    private RegistrationScope Issue()
    {
        lock (_lock)
        {
            return new RegistrationScope(this, _generation);
        }
    }

    /// <summary>Something was replaced.</summary>
    /// <param name="concernsAll">False when it is revocation lists or the deny list, of which it shows whom they concern.</param>
    internal void OnReplaced(bool concernsAll)
    {
        lock (_lock)
        {
            _generation++;
            _isPending = true;
            _concernsAll |= concernsAll;
            if (_isWalking)
            {
                return;
            }

            _isWalking = true;
        }

        RunAside(WalkAsync);
    }

    internal void Leave() => _watch.Leave();

    internal void Register(IRevalidated connection, DateTimeOffset? ownEnd, long generation)
    {
        if (Add(connection, ownEnd, generation) is { } entry)
        {
            Rejudge(entry);
        }
    }

    /// <summary>
    /// As <see cref="Register"/>, within the time of the attempt: a connection that cannot be re-evaluated by then is no longer valid.
    /// </summary>
    internal async ValueTask RegisterAsync(IRevalidated connection, DateTimeOffset? ownEnd, long generation, HandshakeAttempt attempt)
    {
        if (Add(connection, ownEnd, generation) is { } entry)
        {
            try
            {
                await TaskWaits.RunOrLeaveAsync(() => ValueTask.FromResult(Rejudge(entry)), attempt.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                Invalidate(entry, new Rejection(RejectionReason.ValidatorFaulted, "a judgement by the rules of now before the handshake's deadline",
                    "none"));
            }
        }
    }

    /// <summary>Gives the entry when something was replaced since the registration was taken, so that it must be judged again.</summary>
    private RevalidationEntry? Add(IRevalidated connection, DateTimeOffset? ownEnd, long generation)
    {
        _watch.Enter();
        RevalidationEntry entry;
        bool hasMoved;
        Exception? fault = null;
        lock (_lock)
        {
            entry = new RevalidationEntry(connection, ++_lastNumber, connection.Peer.Path, _policy.EndsWithOwnCertificate ? ownEnd : null);
            _entries.Add(entry);
            _index.Add(entry);
            try
            {
                _timer.SetDuration(entry, _policy.MaximumAge);
                if (_policy.IdleTimeout is { } idleTimeout)
                {
                    connection.CountIdle(_options.TimeProvider);
                    _timer.SetIdle(entry, idleTimeout);
                }

                ScheduleDate(entry);
            }
            catch (Exception exception)
            {
                fault = exception;
            }

            hasMoved = generation != _generation;
        }

        connection.OnEnded(() => Remove(entry));
        if (fault is not null)
        {
            RevalidationLog.RejudgeFaulted(_logger, fault);
            Invalidate(entry, new Rejection(RejectionReason.ValidatorFaulted, "a clock by which it can be watched over",
                $"an exception, {fault.GetType().Name}"));
        }

        return hasMoved ? entry : null;
    }

    private void Remove(RevalidationEntry entry)
    {
        lock (_lock)
        {
            entry.IsOver = true;
            _entries.Remove(entry);
            _index.Remove(entry);
            _timer.SetDate(entry, null);
            _timer.SetDuration(entry, null);
            _timer.SetIdle(entry, null);
        }

        _watch.Leave();
    }

    private async Task WalkAsync()
    {
        while (TryTakePending(out var concernsAll))
        {
            try
            {
                var (entries, live) = Find(concernsAll);
                await PrepareTrustAsync(concernsAll).ConfigureAwait(false);
                var lost = await ForEachAsync(entries, Rejudge).ConfigureAwait(false);
                RevalidationLog.JudgedAgain(_logger, entries.Count, live, lost);
            }
            catch (Exception)
            {
                // The application's logger threw. The connections have been ended, and the next change must be processed.
            }
        }
    }

    private bool TryTakePending(out bool concernsAll)
    {
        lock (_lock)
        {
            concernsAll = _concernsAll;
            _isWalking = _isPending;
            _isPending = _concernsAll = false;
            return _isWalking;
        }
    }

    /// <summary>Whom the change concerns, out of how many.</summary>
    private (IReadOnlyCollection<RevalidationEntry> Entries, int Live) Find(bool concernsAll)
    {
        var (before, after) = TakeStatements();
        RevalidationEntry[] all;
        lock (_lock)
        {
            all = [.. _entries];
        }

        try
        {
            return (
                concernsAll || before is null || after is null
                    ? all
                    : after.FindConcerned(before, all, _index, _lock, _options.Revocation?.DangerousGracePeriod ?? default, Now),
                all.Length);
        }
        catch (Exception exception)
        {
            RevalidationLog.SearchFaulted(_logger, exception);
            return (all, all.Length);
        }
    }

    /// <summary>The statements of before and of now; from here on those of now are the ones of before. Null where they cannot be had.</summary>
    private (RevocationSnapshot? Before, RevocationSnapshot? After) TakeStatements()
    {
        RevocationSnapshot? after = null;
        try
        {
            after = RevocationSnapshot.Of(_options);
        }
        catch (Exception exception)
        {
            RevalidationLog.SearchFaulted(_logger, exception);
        }

        lock (_lock)
        {
            // The snapshot just read may be newer than the last announced change: a handshake that is being judged by older lists must notice.
            _generation++;
            var before = _statements;
            _statements = after;
            return (before, after);
        }
    }

    private async ValueTask PrepareTrustAsync(bool concernsAll)
    {
        try
        {
            if (concernsAll)
            {
                await _options.Trust.PrepareAsync(_logger, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception exception)
        {
            RevalidationLog.SearchFaulted(_logger, exception);
        }
    }

    /// <summary>
    /// Re-evaluates many connections, in small batches and on some processors only, so that handshakes can run. Returns how many are no longer valid.
    /// </summary>
    private static async Task<int> ForEachAsync(IEnumerable<RevalidationEntry> entries, Func<RevalidationEntry, bool> loses)
    {
        var lost = 0;
        var options = new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, Environment.ProcessorCount / 2) };
        await Parallel.ForEachAsync(entries.Chunk(BatchSize), options, async (batch, _) =>
        {
            Interlocked.Add(ref lost, batch.Count(entry => Try(loses, entry)));
            await Task.Yield();
        }).ConfigureAwait(false);
        return lost;
    }

    private static bool Try(Func<RevalidationEntry, bool> loses, RevalidationEntry entry)
    {
        try
        {
            return loses(entry);
        }
        catch (Exception)
        {
            return true; // a logger of the application's that throws: the others are still to be looked at
        }
    }

    /// <summary>
    /// Evaluates by the current rules. The certificates are evaluated as of the end of the path at the latest: their expiry is handled separately.
    /// </summary>
    private bool Rejudge(RevalidationEntry entry)
    {
        var now = Now;
        return Rejudge(entry, now < entry.PathEnd ? now : entry.PathEnd);
    }

    /// <summary>Never throws. Returns true when the connection is no longer valid, and was valid before.</summary>
    private bool Rejudge(RevalidationEntry entry, DateTimeOffset datesAt)
    {
        if (entry.IsOver || entry.Path.IsEmpty || entry.Connection is not { } connection)
        {
            return false; // who logged in without a certificate stands on none
        }

        try
        {
            switch (_stage.Rejudge(connection.Peer.Evidence, entry.Path, Now, datesAt))
            {
                case CertificateVerdict.Accepted accepted:
                    Stand(entry, accepted.Peer, datesAt);
                    return false;
                case CertificateVerdict.Rejected rejected:
                    return Invalidate(entry, rejected.Rejection);
                default:
                    throw new InvalidOperationException("There is no third verdict.");
            }
        }
        catch (Exception exception)
        {
            RevalidationLog.RejudgeFaulted(_logger, exception);
            return Invalidate(entry, new Rejection(RejectionReason.ValidatorFaulted, "a judgement", $"an exception, {exception.GetType().Name}"));
        }
    }

    /// <summary>The peer is accepted, perhaps by another path than before.</summary>
    private void Stand(RevalidationEntry entry, AuthenticatedPeer peer, DateTimeOffset datesAt)
    {
        lock (_lock)
        {
            if (entry.IsOver)
            {
                return;
            }

            if (entry.Lost is { Action: InvalidationAction.Notify })
            {
                entry.Lost = null;
            }

            if (datesAt > entry.PathEnd)
            {
                entry.IsPathEndPast = false;
            }

            if (!entry.Path.SequenceEqual(peer.Path))
            {
                _index.Remove(entry);
                entry.StandOn(peer.Path);
                _index.Add(entry);
                ScheduleDate(entry);
            }
        }
    }

    private bool Invalidate(RevalidationEntry entry, Rejection rejection)
    {
        var lost = new Invalidation(rejection, _policy.ActionFor(rejection.Reason));
        lock (_lock)
        {
            if (entry.IsOver || !IsWorse(lost, entry.Lost))
            {
                return false;
            }

            entry.Lost = lost;
            if (lost.Action == InvalidationAction.Drain)
            {
                entry.IsDraining = true;
                try
                {
                    _timer.SetDuration(entry, _policy.GracePeriod);
                }
                catch (Exception)
                {
                    // Without a clock nothing would end the grace period.
                    entry.Lost = lost = lost with { Action = InvalidationAction.Abort };
                }
            }
        }

        if (entry.Connection is not { } connection)
        {
            return false; // the connection was reclaimed; there is none to end
        }

        // First of all it ends: a logger or an observer that fails must not keep it.
        try
        {
            connection.Invalidate(lost);
        }
        catch (Exception exception)
        {
            RevalidationLog.EndFaulted(_logger, exception);
        }

        MutualAuthTelemetry.Try((_role, lost), static told => MutualAuthTelemetry.Invalidated.Add(
            1,
            told._role,
            new("mutualauth.reason", told.lost.Rejection.Reason.ToCode()),
            new("mutualauth.action", RejectionReasons.ToSnakeCase(told.lost.Action.ToString()))));
        RevalidationLog.NoLongerValid(
            _logger,
            connection.Peer.Name,
            connection.RemoteEndPoint,
            lost.Action.ToString(),
            rejection,
            rejection.Reason.ToCode(),
            rejection.Expected,
            rejection.Presented,
            rejection.Element);
        Tell(connection);
        return true;
    }

    /// <summary>
    /// One after the other, separate from ending connections: an observer that does not return delays the end of no other connection.
    /// </summary>
    private void Tell(IRevalidated connection)
    {
        if (_policy.OnInvalidated is not { } observer || connection is not MutualTlsConnection ours)
        {
            return;
        }

        lock (_lock)
        {
            _untold.Enqueue(ours);
            if (_isTelling)
            {
                return;
            }

            _isTelling = true;
        }

        RunAside(() => TellAllAsync(observer));
    }

    private Task TellAllAsync(Action<MutualTlsConnection> observer)
    {
        while (NextUntold() is { } connection)
        {
            try
            {
                observer(connection);
            }
            catch (Exception exception)
            {
                RevalidationLog.ObserverFaulted(_logger, exception);
            }
        }

        return Task.CompletedTask;
    }

    private MutualTlsConnection? NextUntold()
    {
        lock (_lock)
        {
            _isTelling = _untold.TryDequeue(out var connection);
            return connection;
        }
    }

    private static bool IsWorse(Invalidation lost, Invalidation? before) =>
        before is null
        || lost.Action > before.Action
        || (lost.Action == InvalidationAction.Notify
            && before.Action == InvalidationAction.Notify
            && lost.Rejection.Reason != before.Rejection.Reason);

    private void OnTimer()
    {
        List<RevalidationEntry> dates;
        List<RevalidationEntry> durations;
        List<RevalidationEntry> idle;
        try
        {
            lock (_lock)
            {
                (dates, durations, idle) = _timer.TakeDue();
            }
        }
        catch (Exception exception)
        {
            RevalidationLog.ClockFaulted(_logger, exception);
            return;
        }

        if (dates.Count + durations.Count + idle.Count > 0)
        {
            RunAside(async () =>
            {
                await ForEachAsync(durations, OnDuration).ConfigureAwait(false);
                await ForEachAsync(idle, OnIdle).ConfigureAwait(false);
                await ForEachAsync(dates, OnDate).ConfigureAwait(false);
            });
        }
    }

    /// <summary>
    /// Runs on a thread of the pool without the ExecutionContext of the caller: it belongs neither to the caller's request nor to its activity.
    /// </summary>
    private static void RunAside(Func<Task> work)
    {
        using (ExecutionContext.SuppressFlow())
        {
            _ = Task.Run(work);
        }
    }

    /// <summary>Its age or its grace period is over.</summary>
    private bool OnDuration(RevalidationEntry entry)
    {
        if (entry.IsDraining)
        {
            _ = EndAsync(entry);
            return false;
        }

        return Invalidate(
            entry,
            new Rejection(RejectionReason.MaximumAgeReached, $"a connection that is open for at most {_policy.MaximumAge}", "one that is older"));
    }

    /// <summary>So long ago its octets were last looked for.</summary>
    private bool OnIdle(RevalidationEntry entry)
    {
        if (entry.Connection is not { } connection || _policy.IdleTimeout is not { } most)
        {
            return false;
        }

        var left = most - connection.IdleFor;
        lock (_lock)
        {
            if (entry.IsOver || entry.IsDraining)
            {
                return false;
            }

            if (left > TimeSpan.Zero && entry.Lost is { Action: InvalidationAction.Notify, Rejection.Reason: RejectionReason.IdleTimeoutReached })
            {
                entry.Lost = null; // application data has moved since; the connection is notified again at the next idle timeout
            }

            _timer.SetIdle(entry, left > TimeSpan.Zero ? left : most);
        }

        return left <= TimeSpan.Zero
            && Invalidate(entry, new Rejection(RejectionReason.IdleTimeoutReached, $"a connection on which something moves every {most}",
                "one on which nothing moved for as long"));
    }

    private async Task EndAsync(RevalidationEntry entry)
    {
        if (entry.Connection is not { } connection)
        {
            return;
        }

        try
        {
            await connection.EndAsync().ConfigureAwait(false);
            RevalidationLog.GraceOver(_logger, connection.Peer.Name, connection.RemoteEndPoint);
        }
        catch (Exception exception)
        {
            RevalidationLog.EndFaulted(_logger, exception);
        }
    }

    /// <summary>A certificate, the peer's or ours, expires. Only here are the path's own dates checked.</summary>
    private bool OnDate(RevalidationEntry entry)
    {
        var at = Now + _policy.ExpiryMargin;
        var loses = false;
        if (entry.OwnEnd is { } end && at >= After(end))
        {
            entry.OwnEnd = null;
            loses = Invalidate(
                entry,
                new Rejection(
                    RejectionReason.OwnCertificateExpired, "a certificate of ours that is valid", $"one that is valid until {UtcText.Of(end)}"));
        }

        if (!entry.IsPathEndPast && !entry.Path.IsEmpty && at >= After(entry.PathEnd))
        {
            entry.IsPathEndPast = true;
            loses |= Rejudge(entry, at);
        }

        lock (_lock)
        {
            ScheduleDate(entry);
        }

        return loses;
    }

    private void ScheduleDate(RevalidationEntry entry)
    {
        var pathEnd = entry.IsPathEndPast || entry.Path.IsEmpty ? null : (DateTimeOffset?)entry.PathEnd;
        var next = pathEnd is null || entry.OwnEnd < pathEnd ? entry.OwnEnd : pathEnd;
        _timer.SetDate(entry, entry.IsOver || next is null ? null : After(next.Value) - _policy.ExpiryMargin);
    }

    /// <summary>
    /// The moment at which a certificate has expired. Validity counts in whole seconds, the last one included (RFC 5280 §4.1.2.5), and some last to
    /// the end of time.
    /// </summary>
    private static DateTimeOffset After(DateTimeOffset end) =>
        end < DateTimeOffset.MaxValue.AddSeconds(-1) ? end.AddSeconds(1) : DateTimeOffset.MaxValue;
}
