namespace MutualAuth.Connections;

/// <summary>
/// Rules by which the application ended connections, for as long as a handshake is under way that began before: its connection is ended as well
/// when it comes. Its owner's lock guards it.
/// </summary>
internal sealed class EndRules
{
    private readonly Dictionary<long, int> _handshakes = [];
    private readonly List<EndRule> _rules = [];
    private long _generation;

    /// <summary>A handshake begins. The result is to be given to <see cref="Since"/> and <see cref="Leave"/>.</summary>
    internal long Enter()
    {
        _handshakes[_generation] = _handshakes.GetValueOrDefault(_generation) + 1;
        return _generation;
    }

    /// <summary>The handshake has an outcome.</summary>
    internal void Leave(long generation)
    {
        if (_handshakes[generation] > 1)
        {
            _handshakes[generation]--;
            return;
        }

        _handshakes.Remove(generation);
        if (_rules.Count > 0)
        {
            var oldest = _handshakes.Count == 0 ? long.MaxValue : _handshakes.Keys.Min();
            _rules.RemoveAll(rule => rule.Generation <= oldest);
        }
    }

    /// <summary>The rule counts for every handshake that has begun.</summary>
    internal void Add(Func<AuthenticatedPeer, bool> matches, Rejection rejection, InvalidationAction action)
    {
        _generation++;
        if (_handshakes.Count > 0)
        {
            _rules.Add(new EndRule(_generation, matches, rejection, action));
        }
    }

    /// <summary>The rules since this handshake began.</summary>
    internal EndRule[] Since(long generation) => _rules.Count == 0 ? [] : After(generation);

    /// <exception cref="ArgumentException">An argument of <c>EndWhere</c> cannot be used.</exception>
    internal static void Check(Func<AuthenticatedPeer, bool> matches, string reason, InvalidationAction action)
    {
        ArgumentNullException.ThrowIfNull(matches);
        ArgumentException.ThrowIfNullOrEmpty(reason);
        if (!Enum.IsDefined(action))
        {
            throw new ArgumentOutOfRangeException(nameof(action), action, "Expected to notify, to drain or to abort.");
        }
    }

    /// <summary>What every such rule says, of which the application gives the reason.</summary>
    internal static Rejection RejectionFor(string reason) => new(
        RejectionReason.EndedByApplication, "a connection that the application keeps", $"one that it ended: {Errors.SafeText.Quote(reason)}");

    /// <summary>Asks the predicate about each. One for which it throws is not ended; the others are, and then the caller is told.</summary>
    /// <returns>How many were ended.</returns>
    /// <exception cref="AggregateException">The predicate threw.</exception>
    internal static int End<T>(IEnumerable<T> connections, Func<T, bool> matches, Func<T, bool> end)
    {
        var count = 0;
        List<Exception>? faults = null;
        foreach (var connection in connections)
        {
            try
            {
                count += matches(connection) && end(connection) ? 1 : 0;
            }
            catch (Exception exception)
            {
                (faults ??= []).Add(exception);
            }
        }

        return faults is null
            ? count
            : throw new AggregateException($"The predicate threw for {faults.Count} connections, which are open; {count} were ended.", faults);
    }

    private EndRule[] After(long generation) => [.. _rules.Where(rule => rule.Generation > generation)];
}

/// <summary>One of them.</summary>
internal sealed record EndRule(long Generation, Func<AuthenticatedPeer, bool> Matches, Rejection Rejection, InvalidationAction Action);
