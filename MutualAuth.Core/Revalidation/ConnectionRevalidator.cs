using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging;
using MutualAuth.Certificates;
using MutualAuth.Connections;
using MutualAuth.Errors;
using MutualAuth.Handshake;
using MutualAuth.Paths;
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
    private readonly bool _hasSources;
    private readonly KeyValuePair<string, object?> _role;

    private readonly Lock _lock = new();
    private readonly HashSet<RevalidationEntry> _entries = [];
    private readonly IssuerIndex _index = new();
    private readonly DueTimer _timer;
    private long _generation;
    private long _lastNumber;
    private RevocationSnapshot? _statements;
    private readonly LiveUsers _users;
    private readonly LiveFacts _facts;
    private readonly EndRules _endRules = new();
    private readonly Announcer _invalidated;
    private readonly Announcer _reauthenticationDue;
    private bool _isWalking;
    private bool _isPending;
    private bool _concernsAll;
    private bool _concernsUsers;

    internal ConnectionRevalidator(CertificateStage stage, HandshakeOptions options, RevalidationPolicy policy, PeerRole ourRole)
    {
        _stage = stage;
        _options = options;
        _policy = policy;
        _logger = MutualAuthTelemetry.CreateLogger(options.LoggerFactory);
        _role = new("mutualauth.role", ourRole == PeerRole.Server ? "server" : "client");
        _watch = new SourceSubscriptions(
            this, options.ReloadableStatements(), options.ReloadableRules(), options.RequiredCredentials.Users.Reloadables().Distinct());
        _hasSources = !_watch.IsEmpty || options.Revocation is not null || options.DenyList is not null;
        _users = new LiveUsers(this, options, policy, _logger);
        _facts = new LiveFacts(this, options, policy, _logger);
        _invalidated = new Announcer(policy.OnInvalidated, _logger, RevalidationLog.ObserverFaulted);
        _reauthenticationDue = new Announcer(policy.OnReauthenticationDue, _logger, RevalidationLog.DueObserverFaulted);
        _timer = new DueTimer(options.TimeProvider, OnTimer);
    }

    /// <summary>Chooses the part of the spread of ends that a connection takes: from zero to one. Tests set it.</summary>
    internal Func<double> NextShare { get; init; } = Random.Shared.NextDouble;

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

    /// <summary>What the timer began last, for tests.</summary>
    internal Task Ringing { get; private set; } = Task.CompletedTask;

    /// <summary>The last search for connections that a change concerns, and their judgements; for tests.</summary>
    internal Task Walking { get; private set; } = Task.CompletedTask;

    /// <summary>The users of the registered connections, for tests.</summary>
    internal LiveUsers Users => _users;

    /// <summary>What validators say of the peers of the registered connections, for tests.</summary>
    internal LiveFacts Facts => _facts;

    /// <summary>The registered connections that are open.</summary>
    internal IReadOnlyList<MutualTlsConnection> Connections => [.. Entries().Select(entry => entry.Connection).OfType<MutualTlsConnection>()];

    private DateTimeOffset Now => _options.TimeProvider.GetUtcNow();

    /// <summary>
    /// As <see cref="Begin"/>, for an attempt. The first user subscribes to sources and reads them, which may be the application's own; who comes
    /// while there is one touches none. Where there are none, none is touched.
    /// </summary>
    internal ValueTask<RegistrationScope> BeginAsync(HandshakeAttempt attempt) => _watch.TryJoin() ? ValueTask.FromResult(Issue())
        : !_hasSources ? ValueTask.FromResult(Begin())
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
            return new RegistrationScope(this, new RegistrationGenerations(_generation, _users.Generation, _endRules.Enter()));
        }
    }

    /// <summary>Something was replaced.</summary>
    /// <param name="concernsAll">False when it is revocation lists or the deny list, of which it shows whom they concern.</param>
    internal void OnReplaced(bool concernsAll) => OnReplaced(() => (_isPending, _concernsAll) = (true, _concernsAll | concernsAll));

    /// <summary>The rule that says which users may log in was replaced.</summary>
    internal void OnUserRulesReplaced() => OnReplaced(() => _concernsUsers = true);

    private void OnReplaced(Action note)
    {
        lock (_lock)
        {
            _generation++;
            note();
            if (_isWalking)
            {
                return;
            }

            _isWalking = true;
        }

        Walking = RunAside(WalkAsync);
    }

    internal void Leave(RegistrationGenerations generations)
    {
        lock (_lock)
        {
            _endRules.Leave(generations.Ends);
        }

        _watch.Leave();
    }

    internal void Register(IRevalidated connection, DateTimeOffset? ownEnd, RegistrationGenerations generations)
    {
        var entry = Add(connection, ownEnd, generations, out var change);
        if (change.HasFlag(Change.Certificates))
        {
            Rejudge(entry);
            _users.Examine(entry);
        }

        if (change.HasFlag(Change.Users))
        {
            LiveUsers.AskSoon(entry);
        }
    }

    /// <summary>
    /// As <see cref="Register"/>, within the time of the attempt: a connection that cannot be re-evaluated by then is no longer valid.
    /// </summary>
    internal ValueTask RegisterAsync(
        IRevalidated connection, DateTimeOffset? ownEnd, RegistrationGenerations generations, HandshakeAttempt attempt)
    {
        if (connection.Peer.User is { Facts.IsEmpty: false })
        {
            return RegisterAsideAsync(connection, ownEnd, generations, attempt);
        }

        var entry = Add(connection, ownEnd, generations, out var change);
        return change == Change.None ? default : CatchUpAsync(entry, change, attempt);
    }

    /// <summary>Where nothing was subscribed to yet, that calls a store of the application's, which may block.</summary>
    private async ValueTask RegisterAsideAsync(
        IRevalidated connection, DateTimeOffset? ownEnd, RegistrationGenerations generations, HandshakeAttempt attempt)
    {
        var (entry, change) = await TaskWaits.RunOrLeaveAsync(
            () => ValueTask.FromResult((Add(connection, ownEnd, generations, out var moved), moved)), attempt.Token).ConfigureAwait(false);
        if (change != Change.None)
        {
            await CatchUpAsync(entry, change, attempt).ConfigureAwait(false);
        }
    }

    /// <summary>The rules have changed since the handshake began.</summary>
    private async ValueTask CatchUpAsync(RevalidationEntry entry, Change change, HandshakeAttempt attempt)
    {
        try
        {
            if (change.HasFlag(Change.Certificates))
            {
                await TaskWaits.RunOrLeaveAsync(() => ValueTask.FromResult(Rejudge(entry) || _users.Examine(entry)), attempt.Token)
                    .ConfigureAwait(false);
            }

            if (change.HasFlag(Change.Users))
            {
                await _users.AskNowAsync(entry, attempt.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            Invalidate(entry, new Rejection(RejectionReason.ValidatorFaulted, "a judgement by the rules of now before the handshake's deadline",
                "none"));
        }
        catch (Exception exception)
        {
            RevalidationLog.RejudgeFaulted(_logger, exception);
            Invalidate(entry, LiveUsers.Faulted(exception));
        }
    }

    /// <summary>Ends the connections whose peer matches, and those whose handshake has begun and whose peer does.</summary>
    /// <returns>How many were ended now.</returns>
    /// <exception cref="AggregateException">The predicate threw.</exception>
    internal int EndWhere(Func<AuthenticatedPeer, bool> matches, string reason, InvalidationAction action)
    {
        var rejection = EndRules.RejectionFor(reason);
        lock (_lock)
        {
            _endRules.Add(matches, rejection, action);
        }

        return EndRules.End(
            Entries(),
            entry => entry.Connection is { } connection && matches(connection.Peer),
            entry => Invalidate(entry, rejection, action, LossGround.Final));
    }

    /// <summary>When the connection ends, as far as that is known.</summary>
    internal DateTimeOffset? ValidUntil(RevalidationEntry entry)
    {
        lock (_lock)
        {
            var certificates = Earlier(entry.Path.IsEmpty ? null : PathDue(entry), OwnDue(entry));
            return Earlier(Earlier(certificates, entry.User?.EndsAt), entry.AgeEnd);
        }
    }

    /// <summary>The user has authenticated again.</summary>
    internal bool Renew(RevalidationEntry entry, AuthenticatedUser user)
    {
        if (entry.User is not { } standing || entry.Connection is not { } connection)
        {
            throw new InvalidOperationException("Only a user that has logged in can authenticate again.");
        }

        if (connection.Peer.User is not { } before || before.Name != user.Name || before.ActsAs != user.ActsAs)
        {
            throw new ArgumentException("It is another user that has authenticated.", nameof(user));
        }

        bool isPathEndPast;
        bool isOwnEndPast;
        bool isUserInactive;
        try
        {
            if (!_users.Replace(entry, user))
            {
                return false;
            }

            connection.Replace(user);
            lock (_lock)
            {
                if (entry.IsOver || entry.IsEnding)
                {
                    return false;
                }

                if (entry.Lost is { Rejection.Reason: var reason } && IsMadeGoodByRenewal(reason))
                {
                    (entry.Lost, entry.IsDraining) = (null, false);
                    connection.Restore();
                    _timer.SetIdle(entry, _policy.IdleTimeout);
                }

                if (!entry.IsDraining)
                {
                    BeginAge(entry);
                }

                BeginUserDates(entry, standing, user);
                ScheduleDate(entry);
                (isPathEndPast, isOwnEndPast, isUserInactive) = (entry.IsPathEndPast, entry.IsOwnEndPast, entry.IsUserInactive);
            }
        }
        catch (Exception exception)
        {
            RevalidationLog.RejudgeFaulted(_logger, exception);
            Invalidate(entry, LiveUsers.Faulted(exception));
            return false;
        }

        // What came second while it drained was not kept: everything is looked at again.
        if (isPathEndPast)
        {
            Rejudge(entry, Now + _policy.ExpiryMargin + entry.PathEarly);
        }
        else
        {
            Rejudge(entry);
        }

        if (isOwnEndPast)
        {
            Invalidate(entry, OwnExpired(entry.OwnEnd!.Value));
        }

        if (isUserInactive)
        {
            Invalidate(entry, UserInactive());
        }

        _users.Examine(entry);
        _facts.Examine(entry);
        var holds = false;
        lock (_lock)
        {
            holds = !entry.IsOver && entry.Lost is null or { Action: InvalidationAction.Notify };
        }

        if (holds)
        {
            RevalidationLog.Renewed(_logger, connection.Peer.Name, connection.RemoteEndPoint, ValidUntil(entry), connection.Id);
        }

        return holds;
    }

    /// <summary>The user is accepted.</summary>
    internal void UserStands(RevalidationEntry entry)
    {
        if (entry.Lost is null)
        {
            return; // as nearly always
        }

        lock (_lock)
        {
            if (entry is { Lost.Action: InvalidationAction.Notify, LostOn: LossGround.User })
            {
                entry.Lost = null;
            }
        }
    }

    /// <summary>All that validators said of the peer counts.</summary>
    internal void FactsStand(RevalidationEntry entry)
    {
        lock (_lock)
        {
            if (entry is { Lost.Action: InvalidationAction.Notify, LostOn: LossGround.Facts })
            {
                entry.Lost = null;
            }
        }
    }

    /// <summary>Validators say something else of the peer than before.</summary>
    internal void FactsChanged(RevalidationEntry entry)
    {
        if (_options.Authorization.AsksForFacts)
        {
            Rejudge(entry);
        }
    }

    /// <summary>
    /// Runs on a thread of the pool without the ExecutionContext of the caller: it belongs neither to the caller's request nor to its activity.
    /// </summary>
    internal static Task RunAside(Func<Task> work)
    {
        using (ExecutionContext.SuppressFlow())
        {
            return Task.Run(work);
        }
    }

    private static bool IsMadeGoodByRenewal(RejectionReason reason) => reason is
        RejectionReason.TokenExpired
        or RejectionReason.PasswordChanged
        or RejectionReason.SecondFactorRemoved
        or RejectionReason.ReconnectCredentialRevoked
        or RejectionReason.UserStoreUnreadable
        or RejectionReason.MaximumAgeReached;

    private RevalidationEntry[] Entries()
    {
        lock (_lock)
        {
            return [.. _entries];
        }
    }

    /// <summary>Also says what was replaced since the registration was taken, so that the entry must be judged again.</summary>
    private RevalidationEntry Add(IRevalidated connection, DateTimeOffset? ownEnd, RegistrationGenerations generations, out Change change)
    {
        _watch.Enter();
        var user = connection.Peer.User;
        RevalidationEntry entry;
        EndRule[] endRules;
        Exception? fault = null;
        lock (_lock)
        {
            var counted = _policy.EndsWithOwnCertificate ? ownEnd : null;
            var share = _policy.ExpirySpread > TimeSpan.Zero ? NextShare() : 0;
            entry = new RevalidationEntry(connection, ++_lastNumber, connection.Peer.Path, counted)
            {
                Registry = this,
                SpreadShare = share,
                User = user is null ? null : new UserStanding(),
            };
            _entries.Add(entry);
            _index.Add(entry);
            try
            {
                entry.PathEarly = PathEarlyOf(entry);
                entry.OwnEarly = counted is { } own ? EarlyBy(share, After(own) - _policy.ExpiryMargin - Now) : TimeSpan.Zero;
                BeginAge(entry);
                if (user is not null)
                {
                    BeginUserDates(entry, entry.User!, user);
                }

                if (_policy.IdleTimeout is { } idleTimeout)
                {
                    connection.CountIdle(_options.TimeProvider);
                    _timer.SetIdle(entry, idleTimeout);
                }

                if (_policy.UserInactivityTimeout is { } most)
                {
                    entry.UserActivity = new UserActivityClock(_options.TimeProvider, most, _policy.OnUserInactive != InvalidationAction.Notify);
                    _timer.SetUserActivity(entry, most);
                }

                ScheduleDate(entry);
            }
            catch (Exception exception)
            {
                fault = exception;
            }

            change = generations.Certificates == _generation ? Change.None : Change.Certificates;
            endRules = _endRules.Since(generations.Ends);
        }

        connection.Attach(entry);
        try
        {
            if (user is not null && fault is null)
            {
                _users.Join(entry, user);
                change |= user.Facts.IsEmpty || generations.Users == _users.Generation ? Change.None : Change.Users;
            }

            if (fault is null)
            {
                _facts.Join(entry, connection.Peer.Leases);
            }
        }
        catch (Exception exception)
        {
            fault = exception;
        }

        connection.OnEnded(entry);
        if (fault is not null)
        {
            RevalidationLog.RejudgeFaulted(_logger, fault);
            Invalidate(entry, new Rejection(RejectionReason.ValidatorFaulted, "a clock by which it can be watched over",
                $"an exception, {fault.GetType().Name}"));
        }

        foreach (var rule in endRules)
        {
            if (Matches(rule, connection.Peer))
            {
                Invalidate(entry, rule.Rejection, rule.Action, LossGround.Final);
            }
        }

        return entry;
    }

    /// <summary>The application does not have the connection yet: where the rule throws, it is ended.</summary>
    private bool Matches(EndRule rule, AuthenticatedPeer peer)
    {
        try
        {
            return rule.Matches(peer);
        }
        catch (Exception exception)
        {
            RevalidationLog.EndRuleFaulted(_logger, exception);
            return true;
        }
    }

    /// <summary>The maximum age counts from now.</summary>
    private void BeginAge(RevalidationEntry entry)
    {
        if (_policy.MaximumAge is not { } most)
        {
            _timer.SetDuration(entry, null);
            return;
        }

        most -= EarlyBy(entry.SpreadShare, most);
        var lead = _policy.ReauthenticationLead < most ? _policy.ReauthenticationLead : most;
        entry.AgeDue = _timer.DueIn(most);
        entry.AgeEnd = Now + most;
        entry.IsAgeLeadAhead = entry.User is not null && _policy.OnReauthenticationDue is not null;
        _timer.SetDurationAt(entry, entry.IsAgeLeadAhead ? entry.AgeDue - lead.Ticks : entry.AgeDue);
    }

    private void BeginUserDates(RevalidationEntry entry, UserStanding standing, AuthenticatedUser user)
    {
        if (standing.NotAfter == user.NotAfter)
        {
            standing.End = standing.EndsAt;
            return; // the same deadline, of which the application has been told, or will be
        }

        standing.NotAfter = user.NotAfter;
        standing.EndsAt = user.NotAfter is { } date ? date - EarlyBy(entry.SpreadShare, date - Now) : null;
        standing.End = standing.EndsAt;
        standing.LeadAt = standing.EndsAt is { } end && _policy.OnReauthenticationDue is not null
            ? end > DateTimeOffset.MinValue + _policy.ReauthenticationLead ? end - _policy.ReauthenticationLead : DateTimeOffset.MinValue
            : null;
    }

    internal void Remove(RevalidationEntry entry)
    {
        lock (_lock)
        {
            entry.IsOver = true;
            _entries.Remove(entry);
            _index.Remove(entry);
            _timer.SetDate(entry, null);
            _timer.SetDuration(entry, null);
            _timer.SetIdle(entry, null);
            _timer.SetUserActivity(entry, null);
        }

        entry.UserActivity?.Close();
        try
        {
            _users.Leave(entry);
        }
        finally
        {
            _facts.Leave(entry);
            _watch.Leave();
        }
    }

    private async Task WalkAsync()
    {
        while (TryTakePending(out var concernsCertificates, out var concernsAll, out var concernsUsers, out var generation))
        {
            try
            {
                if (concernsUsers)
                {
                    var users = Entries().Where(entry => entry.User is not null).ToList();
                    var (_, lost) = await ForEachAsync(users, () => _users.Examine).ConfigureAwait(false);
                    RevalidationLog.UsersJudgedAgain(_logger, "The rule for users", users.Count, lost);
                }
            }
            catch (Exception)
            {
                // The application's logger threw. The connections have been ended, and the next change must be processed.
            }

            try
            {
                if (concernsCertificates)
                {
                    var (entries, live) = Find(concernsAll);
                    await PrepareTrustAsync(concernsAll).ConfigureAwait(false);
                    var (judged, lost) = await ForEachAsync(entries, Rejudging, DueBy(generation)).ConfigureAwait(false);
                    RevalidationLog.JudgedAgain(_logger, judged, live, lost);
                }
            }
            catch (Exception)
            {
                // The same.
            }
        }
    }

    /// <summary>
    /// Whom these changes still concern: not one whose last judgement began after them, as when several come in a row. One judgement answers for all
    /// that were announced before it began. A source that is refreshed before it is asked is not known to have been read since.
    /// </summary>
    private Func<RevalidationEntry, bool> DueBy(long generation) =>
        _options.Trust.NeedsAsyncSteps ? static _ => true : entry => entry.JudgedIn < generation;

    private bool TryTakePending(out bool concernsCertificates, out bool concernsAll, out bool concernsUsers, out long generation)
    {
        lock (_lock)
        {
            generation = _generation;
            (concernsCertificates, concernsAll, concernsUsers) = (_isPending, _concernsAll, _concernsUsers);
            _isWalking = _isPending || _concernsUsers;
            _isPending = _concernsAll = _concernsUsers = false;
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
    /// Re-evaluates many connections, on all processors, and in batches of a fraction of a millisecond, between which what else waits has its turn:
    /// handshakes are delayed by a batch, and not by all of them. Returns how many were looked at, and how many are no longer valid.
    /// </summary>
    /// <param name="entries">The connections.</param>
    /// <param name="begin">Called once by each worker; what it returns is called by that worker alone, and says whether a connection is lost.</param>
    /// <param name="isDue">
    /// Says, when its batch begins, whether a connection is looked at, and by its certificates; null for all, and not by them.
    /// </param>
    private static async Task<(int Done, int Lost)> ForEachAsync(
        IEnumerable<RevalidationEntry> entries, Func<Func<RevalidationEntry, bool>> begin, Func<RevalidationEntry, bool>? isDue = null)
    {
        var (done, lost, next) = (0, 0, 0);
        var all = entries as RevalidationEntry[] ?? [.. entries];
        await Task.WhenAll(Enumerable.Range(0, Math.Min(Environment.ProcessorCount, (all.Length + BatchSize - 1) / BatchSize)).Select(_ =>
            Task.Run(WorkAsync))).ConfigureAwait(false);
        return (done, lost);

        async Task WorkAsync()
        {
            var loses = begin();
            var due = new RevalidationEntry[BatchSize];
            int first;
            while ((first = Interlocked.Add(ref next, BatchSize) - BatchSize) < all.Length)
            {
                var count = Take(all.AsSpan(first, Math.Min(BatchSize, all.Length - first)), isDue, due);
                if (isDue is not null)
                {
                    LookAhead.Fetch(due.AsSpan(0, count));
                }

                var some = 0;
                foreach (var entry in due.AsSpan(0, count))
                {
                    some += Try(loses, entry) ? 1 : 0;
                }

                Interlocked.Add(ref done, count);
                Interlocked.Add(ref lost, some);
                await Task.Yield(); // to the end of the pool's queue
            }
        }
    }

    /// <summary>Takes out of a batch those that are due; all of them where nothing says which. Returns how many there are.</summary>
    private static int Take(ReadOnlySpan<RevalidationEntry> batch, Func<RevalidationEntry, bool>? isDue, RevalidationEntry[] due)
    {
        var count = 0;
        foreach (var entry in batch)
        {
            if (isDue is null || isDue(entry))
            {
                due[count++] = entry;
            }
        }

        return count;
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

    /// <summary>For one worker of a sweep.</summary>
    private Func<RevalidationEntry, bool> Rejudging()
    {
        var shared = new SharedPaths();
        return entry => Rejudge(entry, shared: shared);
    }

    /// <summary>Evaluates by the current rules. Never throws. Returns true when the connection is no longer valid, and was valid before.</summary>
    /// <param name="entry">The connection.</param>
    /// <param name="datesAt">
    /// The time at which its certificates must be valid; null for now, or the end of the path where that is past: their expiry is handled separately.
    /// </param>
    /// <param name="shared">What was found out for other peers of the same sweep; null where there are none.</param>
    private bool Rejudge(RevalidationEntry entry, DateTimeOffset? datesAt = null, SharedPaths? shared = null)
    {
        if (entry.IsOver || entry.Path.IsEmpty || entry.Connection is not { } connection)
        {
            return false; // who logged in without a certificate stands on none
        }

        var generation = Volatile.Read(ref _generation);
        try
        {
            var (now, peer) = (Now, connection.Peer);
            var at = datesAt ?? (now < entry.PathEnd ? now : entry.PathEnd);
            var objection = _stage.Rejudge(peer.Evidence, entry.Path, now, at, out var path, peer.Facts, shared);
            if (objection is null || at <= entry.PathEnd)
            {
                entry.NoteJudged(generation); // otherwise it may have expired, which hides everything else
            }

            if (objection is not null)
            {
                return Invalidate(entry, objection);
            }

            Stand(entry, path, at, generation);
            return false;
        }
        catch (Exception exception)
        {
            RevalidationLog.RejudgeFaulted(_logger, exception);
            return Invalidate(entry, new Rejection(RejectionReason.ValidatorFaulted, "a judgement", $"an exception, {exception.GetType().Name}"));
        }
    }

    /// <summary>
    /// The peer is accepted, perhaps by another path than before. Where a judgement that began after a later change has come to its end already, this
    /// one says nothing any more.
    /// </summary>
    private void Stand(RevalidationEntry entry, ImmutableArray<Certificate> path, DateTimeOffset datesAt, long generation)
    {
        if (entry is { Lost: null, IsPathEndPast: false } && (entry.Path == path || entry.Path.SequenceEqual(path)))
        {
            return; // as nearly always: nothing changes, and the lock is left to handshakes
        }

        lock (_lock)
        {
            if (entry.IsOver || entry.JudgedIn > generation)
            {
                return;
            }

            if (entry is { Lost.Action: InvalidationAction.Notify, LostOn: LossGround.Certificate })
            {
                entry.Lost = null;
            }

            if (datesAt > entry.PathEnd)
            {
                entry.IsPathEndPast = false;
            }

            if (!entry.Path.SequenceEqual(path))
            {
                _index.Remove(entry);
                entry.StandOn(path);
                entry.PathEarly = PathEarlyOf(entry);
                _index.Add(entry);
                ScheduleDate(entry);
            }
        }
    }

    private bool Invalidate(RevalidationEntry entry, Rejection rejection) =>
        Invalidate(entry, rejection, _policy.ActionFor(rejection.Reason), LossGround.Certificate);

    /// <summary>Never throws. Returns true when the connection is no longer valid, and was valid before.</summary>
    internal bool Invalidate(RevalidationEntry entry, Rejection rejection, InvalidationAction action, LossGround ground)
    {
        var lost = new Invalidation(rejection, action);
        lock (_lock)
        {
            if (entry.IsOver || !IsWorse(lost, entry.Lost))
            {
                return false;
            }

            (entry.Lost, entry.LostOn) = (lost, ground);
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
            rejection.Element,
            connection.Id);
        _invalidated.Tell(connection);
        return true;
    }

    private static bool IsWorse(Invalidation lost, Invalidation? before) =>
        before is null
        || lost.Action > before.Action
        || (lost.Action == InvalidationAction.Notify
            && before.Action == InvalidationAction.Notify
            && lost.Rejection.Reason != before.Rejection.Reason);

    private void OnTimer()
    {
        DueEntries due;
        try
        {
            lock (_lock)
            {
                due = _timer.TakeDue();
            }
        }
        catch (Exception exception)
        {
            RevalidationLog.ClockFaulted(_logger, exception);
            return;
        }

        if (due.Dates.Count + due.Durations.Count + due.Idle.Count + due.UserActivity.Count > 0)
        {
            Ringing = RunAside(async () =>
            {
                await ForEachAsync(due.Durations, () => OrEnd(OnDuration)).ConfigureAwait(false);
                await ForEachAsync(due.Idle, () => OrEnd(OnIdle)).ConfigureAwait(false);
                await ForEachAsync(due.UserActivity, () => OrEnd(OnUserActivity)).ConfigureAwait(false);
                await ForEachAsync(due.Dates, () => OrEnd(OnDate)).ConfigureAwait(false);
            });
        }
    }

    // What is due is in no queue any more: where it cannot be judged, nothing would judge it later.
    private Func<RevalidationEntry, bool> OrEnd(Func<RevalidationEntry, bool> judge) => entry =>
    {
        try
        {
            return judge(entry);
        }
        catch (Exception exception)
        {
            return EndUnwatched(entry, exception);
        }
    };

    private bool EndUnwatched(RevalidationEntry entry, Exception exception)
    {
        RevalidationLog.RejudgeFaulted(_logger, exception);
        return Invalidate(entry, new Rejection(RejectionReason.ValidatorFaulted, "a clock by which it can be watched over",
            $"an exception, {exception.GetType().Name}"));
    }

    /// <summary>Its age or its grace period is over.</summary>
    private bool OnDuration(RevalidationEntry entry)
    {
        bool ends;
        bool isLead;
        lock (_lock)
        {
            if (entry.IsOver || entry.DurationDue is not null)
            {
                return false; // something else was set in the meantime
            }

            ends = entry.IsEnding = entry.IsDraining;
            isLead = !ends && entry.IsAgeLeadAhead;
            if (isLead)
            {
                entry.IsAgeLeadAhead = false;
                _timer.SetDurationAt(entry, entry.AgeDue);
            }
            else if (!ends && (entry.AgeDue is not { } due || due > _timer.DueIn(TimeSpan.Zero)))
            {
                return false; // the drain was taken back as its grace period ended
            }
        }

        if (ends)
        {
            _ = EndAsync(entry);
            return false;
        }

        if (isLead)
        {
            TellDue(entry);
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

    /// <summary>
    /// So long ago its user did something, as far as was known when this was set. It is asked while it drains too: a drain may be taken back, or have
    /// to be cut short.
    /// </summary>
    private bool OnUserActivity(RevalidationEntry entry)
    {
        if (entry.UserActivity is not { } activity || _policy.UserInactivityTimeout is not { } most)
        {
            return false;
        }

        var left = activity.Left();
        lock (_lock)
        {
            if (entry.IsOver)
            {
                return false;
            }

            if (left > TimeSpan.Zero && entry.Lost is { Action: InvalidationAction.Notify, Rejection.Reason: RejectionReason.UserInactive })
            {
                entry.Lost = null; // the user has done something since; the connection is notified again the next time
            }

            entry.IsUserInactive = left <= TimeSpan.Zero && _policy.OnUserInactive != InvalidationAction.Notify;
            _timer.SetUserActivity(entry, entry.IsUserInactive ? null : left > TimeSpan.Zero ? left : most);
        }

        return left <= TimeSpan.Zero && Invalidate(entry, UserInactive());
    }

    private Rejection UserInactive() => new(
        RejectionReason.UserInactive,
        $"a user who does something every {_policy.UserInactivityTimeout}",
        "one of whom nothing was recorded for as long");

    private async Task EndAsync(RevalidationEntry entry)
    {
        if (entry.Connection is not { } connection)
        {
            return;
        }

        try
        {
            await connection.EndAsync().ConfigureAwait(false);
            RevalidationLog.GraceOver(_logger, connection.Peer.Name, connection.RemoteEndPoint, connection.Id);
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
        if (!entry.IsOwnEndPast && entry.OwnEnd is { } end && at + entry.OwnEarly >= After(end))
        {
            entry.IsOwnEndPast = true;
            loses = Invalidate(entry, OwnExpired(end));
        }

        loses |= OnUserDate(entry);

        if (!entry.IsPathEndPast && !entry.Path.IsEmpty && at + entry.PathEarly >= After(entry.PathEnd))
        {
            entry.IsPathEndPast = true;
            loses |= Rejudge(entry, at + entry.PathEarly);
        }

        lock (_lock)
        {
            ScheduleDate(entry);
        }

        return loses;
    }

    /// <summary>The user's credentials expire, or will soon.</summary>
    private bool OnUserDate(RevalidationEntry entry)
    {
        if (entry.User is not { } standing)
        {
            return false;
        }

        DateTimeOffset? end;
        bool isLead;
        lock (_lock)
        {
            var now = Now;
            isLead = standing.LeadAt <= now;
            standing.LeadAt = isLead ? null : standing.LeadAt;
            end = standing.End <= now ? standing.NotAfter : null;
            standing.End = end is null ? standing.End : null;
        }

        if (isLead)
        {
            TellDue(entry);
        }

        return end is { } past && Invalidate(
            entry,
            new Rejection(RejectionReason.TokenExpired, "credentials that are valid", $"ones that were valid until {UtcText.Of(past)}"),
            _policy.OnTokenExpired,
            LossGround.Final);
    }

    private void TellDue(RevalidationEntry entry)
    {
        if (entry.Connection is { } connection)
        {
            _reauthenticationDue.Tell(connection);
        }
    }

    private static Rejection OwnExpired(DateTimeOffset end) =>
        new(RejectionReason.OwnCertificateExpired, "a certificate of ours that is valid", $"one that is valid until {UtcText.Of(end)}");

    private void ScheduleDate(RevalidationEntry entry)
    {
        var certificates = Earlier(entry.IsPathEndPast || entry.Path.IsEmpty ? null : PathDue(entry), entry.IsOwnEndPast ? null : OwnDue(entry));
        var next = Earlier(certificates, Earlier(entry.User?.End, entry.User?.LeadAt));
        _timer.SetDate(entry, entry.IsOver ? null : next);
    }

    private DateTimeOffset PathDue(RevalidationEntry entry) => After(entry.PathEnd) - _policy.ExpiryMargin - entry.PathEarly;

    private DateTimeOffset? OwnDue(RevalidationEntry entry) =>
        entry.OwnEnd is { } end ? After(end) - _policy.ExpiryMargin - entry.OwnEarly : null;

    private TimeSpan PathEarlyOf(RevalidationEntry entry) => entry.Path.IsEmpty
        ? TimeSpan.Zero
        : EarlyBy(entry.SpreadShare, After(entry.PathEnd) - _policy.ExpiryMargin - Now);

    /// <summary>At most half of what is left: who comes shortly before the end, or with short credentials, is not sent away at once.</summary>
    internal TimeSpan EarlyBy(double share, TimeSpan left)
    {
        var most = left / 2 < _policy.ExpirySpread ? left / 2 : _policy.ExpirySpread;
        return most > TimeSpan.Zero ? most * share : TimeSpan.Zero;
    }

    private static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) => one is null || other < one ? other : one;

    /// <summary>
    /// The moment at which a certificate has expired. Validity counts in whole seconds, the last one included (RFC 5280 §4.1.2.5), and some last to
    /// the end of time.
    /// </summary>
    private static DateTimeOffset After(DateTimeOffset end) =>
        end < DateTimeOffset.MaxValue.AddSeconds(-1) ? end.AddSeconds(1) : DateTimeOffset.MaxValue;

    /// <summary>What was replaced while a handshake was under way.</summary>
    [Flags]
    private enum Change
    {
        None = 0,
        Certificates = 1,
        Users = 2,
    }
}
