using MutualAuth.Validation;

namespace MutualAuth.Connections;

/// <summary>
/// The open connections of one listener. It does not keep them alive: a connection without other references ends when it is reclaimed.
/// </summary>
internal sealed class OpenConnections
{
    private readonly Lock _lock = new();
    private readonly HashSet<Place> _connections = [];
    private readonly EndRules _endRules = new();
    private TaskCompletionSource? _empty;
    private bool _isDraining;
    private bool _isAborting;

    /// <summary>Completes as soon as no connection is left.</summary>
    internal Task WhenAllEnded
    {
        get
        {
            lock (_lock)
            {
                return _connections.Count == 0
                    ? Task.CompletedTask
                    : (_empty ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }
        }
    }

    /// <summary>Those that are open.</summary>
    internal List<MutualTlsConnection> Connections
    {
        get
        {
            lock (_lock)
            {
                return OpenLocked();
            }
        }
    }

    /// <summary>A handshake begins; the result is for <see cref="Add"/> and <see cref="Leave"/>.</summary>
    internal long Enter()
    {
        lock (_lock)
        {
            return _endRules.Enter();
        }
    }

    /// <summary>The handshake has an outcome.</summary>
    internal void Leave(long began)
    {
        lock (_lock)
        {
            _endRules.Leave(began);
        }
    }

    /// <summary>Ends the connections whose peer matches, and those whose handshake has begun and whose peer does.</summary>
    internal int EndWhere(Func<AuthenticatedPeer, bool> matches, string reason, InvalidationAction action)
    {
        var rejection = EndRules.RejectionFor(reason);
        List<MutualTlsConnection> connections;
        lock (_lock)
        {
            _endRules.Add(matches, rejection, action);
            connections = OpenLocked();
        }

        return EndRules.End(connections, connection => matches(connection.Peer), connection => connection.End(rejection, action));
    }

    internal void Add(MutualTlsConnection connection, long began)
    {
        var place = new Place(this, connection);
        bool isDraining;
        bool isAborting;
        EndRule[] endRules;
        lock (_lock)
        {
            _connections.Add(place);
            (isDraining, isAborting) = (_isDraining, _isAborting);
            endRules = _endRules.Since(began);
        }

        connection.OnEnded(place);
        if (isDraining)
        {
            connection.RequestDrain();
        }

        if (isAborting)
        {
            connection.Abort(MutualAuth.ConnectionEnd.ListenerStopped, null);
        }

        foreach (var rule in endRules)
        {
            if (Matches(rule, connection.Peer))
            {
                connection.End(rule.Rejection, rule.Action);
            }
        }
    }

    /// <summary>Asks every connection, also later ones, to finish.</summary>
    internal void RequestDrain()
    {
        foreach (var connection in Take(abort: false))
        {
            connection.RequestDrain();
        }
    }

    /// <summary>Ends every connection, also later ones.</summary>
    internal void AbortAll()
    {
        foreach (var connection in Take(abort: true))
        {
            connection.Abort(MutualAuth.ConnectionEnd.ListenerStopped, null);
        }
    }

    /// <summary>The application does not have the connection yet: where the rule throws, it is ended.</summary>
    private static bool Matches(EndRule rule, AuthenticatedPeer peer)
    {
        try
        {
            return rule.Matches(peer);
        }
        catch (Exception)
        {
            return true;
        }
    }

    private List<MutualTlsConnection> Take(bool abort)
    {
        lock (_lock)
        {
            _isDraining = true;
            _isAborting |= abort;
            return OpenLocked();
        }
    }

    private List<MutualTlsConnection> OpenLocked()
    {
        var connections = new List<MutualTlsConnection>(_connections.Count);
        foreach (var place in _connections)
        {
            if (place.Connection is { } connection)
            {
                connections.Add(connection);
            }
        }

        return connections;
    }

    private void Remove(Place place)
    {
        lock (_lock)
        {
            _connections.Remove(place);
            if (_connections.Count == 0)
            {
                _empty?.TrySetResult();
                _empty = null;
            }
        }
    }

    /// <summary>The place of one connection, which is given back when it ends.</summary>
    private sealed class Place(OpenConnections all, MutualTlsConnection connection) : IEndListener
    {
        private readonly WeakReference<MutualTlsConnection> _connection = new(connection);

        /// <summary>The connection; null once it was reclaimed.</summary>
        internal MutualTlsConnection? Connection => _connection.TryGetTarget(out var connection) ? connection : null;

        public void HasEnded() => all.Remove(this);
    }
}
