using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using MutualAuth.Authorization;
using MutualAuth.Credentials;
using MutualAuth.Errors;
using MutualAuth.Handshake;
using MutualAuth.Telemetry;

namespace MutualAuth.Revalidation;

/// <summary>The users of live connections: what their logins relied on, by source, and the rules that accepted them.</summary>
/// <remarks>
/// No announced change falls between a login and its place here: a handshake takes the generation before it begins, a change moves it before it
/// looks for whom it concerns, and who comes with an old generation is asked about before anybody has the connection.
/// </remarks>
internal sealed class LiveUsers
{
    private const int MaxConcurrentQuestions = 16;

    private readonly ConnectionRevalidator _registry;
    private readonly CredentialPolicy _rules;
    private readonly RevalidationPolicy _policy;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly BlockingCallThreads _threads = new(MaxConcurrentQuestions);
    private readonly Lock _lock = new();
    private readonly Dictionary<(Type Kind, object Source), LiveSource> _sources = new(ByReference.Instance);
    private long _generation;
    private long _number;

    internal LiveUsers(ConnectionRevalidator registry, HandshakeOptions options, RevalidationPolicy policy, ILogger logger)
    {
        _registry = registry;
        _rules = options.RequiredCredentials;
        _policy = policy;
        _time = options.TimeProvider;
        Start = _time.GetTimestamp();
        _logger = logger;
    }

    internal long Generation => Volatile.Read(ref _generation);

    /// <summary>How many sources are asked, for tests.</summary>
    internal int SourceCount
    {
        get
        {
            lock (_lock)
            {
                return _sources.Count;
            }
        }
    }

    /// <summary>Waits until no source is being asked, for tests.</summary>
    internal async Task IdleAsync()
    {
        LiveSource[] sources;
        lock (_lock)
        {
            sources = [.. _sources.Values];
        }

        foreach (var source in sources)
        {
            await Task.WhenAll(source.Asking, source.Ending).ConfigureAwait(false);
        }
    }

    /// <summary>The timestamp from which <see cref="Elapsed"/> counts.</summary>
    internal long Start { get; }

    internal TimeSpan Elapsed => _time.GetElapsedTime(Start);

    internal long NextNumber() => Interlocked.Increment(ref _number);

    /// <summary>Something was announced.</summary>
    internal void Moved() => Interlocked.Increment(ref _generation);

    /// <summary>Gives the user of a new connection its place.</summary>
    /// <exception cref="Exception">A source, or the clock, threw.</exception>
    internal void Join(RevalidationEntry entry, AuthenticatedUser user)
    {
        var standing = entry.User!;
        lock (standing.Gate)
        {
            if (!standing.HasLeft)
            {
                standing.Facts = user.Facts.IsEmpty ? [] : [.. user.Facts.Select(fact => Add(entry, fact))];
            }
        }

        // Outside the locks: it calls the source.
        foreach (var fact in standing.Facts)
        {
            fact.Source.Subscribe();
        }
    }

    /// <summary>The user has logged in again.</summary>
    internal bool Replace(RevalidationEntry entry, AuthenticatedUser user)
    {
        var standing = entry.User!;
        var before = standing.Facts;
        lock (standing.Gate)
        {
            if (standing.HasLeft)
            {
                return false;
            }

            before = standing.Facts;
        }

        Join(entry, user);
        Remove(before);
        foreach (var fact in standing.Facts)
        {
            fact.Source.AskSoon(fact.Fact.Key);
        }

        return true;
    }

    internal void Leave(RevalidationEntry entry)
    {
        if (entry.User is not { } standing)
        {
            return;
        }

        LiveFact[] facts;
        lock (standing.Gate)
        {
            standing.HasLeft = true;
            facts = standing.Facts;
            standing.Facts = [];
        }

        Remove(facts);
    }

    /// <summary>Asks the sources that announce changes about a connection that the application does not have yet.</summary>
    internal async ValueTask AskNowAsync(RevalidationEntry entry, CancellationToken cancellationToken)
    {
        foreach (var fact in entry.User!.Facts.Where(fact => fact.Source.Announces))
        {
            var answers = await AskAsync(fact, cancellationToken).ConfigureAwait(false);
            Take(fact, answers, (Elapsed - answers.Age).Ticks, out var isKnown);
            if (!isKnown)
            {
                throw new InvalidOperationException("The source cannot say whether the login still counts.");
            }
        }
    }

    private ValueTask<FactAnswers> AskAsync(LiveFact fact, CancellationToken cancellationToken) => fact.Source.NeverBlocks
        ? fact.Source.AskAsync(fact.Fact.Key, cancellationToken)
        : _threads.RunAsync(token => fact.Source.AskAsync(fact.Fact.Key, token), cancellationToken);

    /// <summary>Has the sources asked that announced something since this generation, about a connection that the application may have.</summary>
    internal static void AskSoon(RevalidationEntry entry)
    {
        foreach (var fact in entry.User!.Facts)
        {
            fact.Source.AskSoon(fact.Fact.Key);
        }
    }

    /// <summary>What the source said of a fact. Never throws. Returns true when the connection is no longer valid, and was valid before.</summary>
    internal bool Take(LiveFact fact, FactAnswers answers, long goodAt, out bool isKnown)
    {
        FactState state;
        try
        {
            state = answers.StateOf(fact.Fact);
        }
        catch (Exception exception)
        {
            RevalidationLog.RejudgeFaulted(_logger, exception);
            state = FactState.Lost(Faulted(exception));
        }

        isKnown = state.IsKnown;
        if (!isKnown)
        {
            return false;
        }

        fact.GoodAt = goodAt;
        if (state.Objection is { } objection)
        {
            return Lose(fact, objection);
        }

        fact.Objection = null;
        return Examine(fact.Entry);
    }

    internal bool Lose(LiveFact fact, Rejection objection)
    {
        fact.Objection = objection;
        return _registry.Invalidate(fact.Entry, objection, _policy.ActionFor(objection.Reason), LossGround.User);
    }

    /// <summary>
    /// Examines the user by the rules of now. Never throws. Returns true when the connection is no longer valid, and was valid before.
    /// </summary>
    internal bool Examine(RevalidationEntry entry)
    {
        if (entry.IsOver || entry.User is not { } standing || entry.Connection?.Peer is not { User: { } user } peer)
        {
            return false;
        }

        Rejection? objection;
        try
        {
            objection = ExamineActing(user) ?? _rules.Users.Examine(user, peer.WithoutUser());
        }
        catch (Exception exception)
        {
            RevalidationLog.RejudgeFaulted(_logger, exception);
            objection = Faulted(exception);
        }

        if (objection is not null)
        {
            return _registry.Invalidate(entry, objection, _policy.ActionFor(objection.Reason), LossGround.User);
        }

        // What was found while the connection drained for something else, and that was taken back, counts still.
        if (Array.Find(standing.Facts, static fact => fact.Objection is not null)?.Objection is { } lost)
        {
            return _registry.Invalidate(entry, lost, _policy.ActionFor(lost.Reason), LossGround.User);
        }

        _registry.UserStands(entry);
        return false;
    }

    internal static Rejection Faulted(Exception exception) =>
        new(RejectionReason.CredentialCheckFaulted, "a verdict on a user who is connected", $"an exception, {exception.GetType().Name}");

    private Rejection? ExamineActing(AuthenticatedUser user) =>
        string.Equals(user.ActsAs, user.Name, StringComparison.Ordinal) || _rules.MayActAs?.Invoke(user.Name, user.ActsAs) == true
            ? null
            : new Rejection(
                RejectionReason.AuthorizationIdentityRefused, $"{user} acting as itself", $"a user who acts as {SafeText.Quote(user.ActsAs)}")
            { Rule = "RFC 4422 §3.4.1" };

    private LiveFact Add(RevalidationEntry entry, LoginFact fact)
    {
        lock (_lock)
        {
            if (!_sources.TryGetValue((fact.GetType(), fact.Source), out var source))
            {
                source = new LiveSource(this, fact.CreateReader(), _policy, _time, _logger);
                _sources.Add((fact.GetType(), fact.Source), source);
            }

            var live = new LiveFact(entry, fact, source, NextNumber(), Elapsed.Ticks);
            source.Add(live);
            return live;
        }
    }

    private void Remove(LiveFact[] facts)
    {
        foreach (var fact in facts)
        {
            lock (_lock)
            {
                if (fact.Source.Remove(fact) > 0)
                {
                    continue;
                }

                _sources.Remove((fact.Fact.GetType(), fact.Fact.Source));
            }

            fact.Source.Close();
        }
    }

    private sealed class ByReference : IEqualityComparer<(Type Kind, object Source)>
    {
        internal static ByReference Instance { get; } = new();

        public bool Equals((Type Kind, object Source) x, (Type Kind, object Source) y) => x.Kind == y.Kind && ReferenceEquals(x.Source, y.Source);

        public int GetHashCode((Type Kind, object Source) obj) => HashCode.Combine(obj.Kind, RuntimeHelpers.GetHashCode(obj.Source));
    }
}
