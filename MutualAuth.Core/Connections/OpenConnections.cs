namespace MutualAuth.Connections;

/// <summary>
/// The open connections of one listener. It does not keep them alive: a connection without other references ends when it is reclaimed.
/// </summary>
internal sealed class OpenConnections
{
    private readonly Lock _lock = new();
    private readonly HashSet<WeakReference<MutualTlsConnection>> _connections = [];
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

    internal void Add(MutualTlsConnection connection)
    {
        var entry = new WeakReference<MutualTlsConnection>(connection);
        bool isDraining;
        bool isAborting;
        lock (_lock)
        {
            _connections.Add(entry);
            (isDraining, isAborting) = (_isDraining, _isAborting);
        }

        connection.OnEnded(() => Remove(entry));
        if (isDraining)
        {
            connection.RequestDrain();
        }

        if (isAborting)
        {
            connection.Abort(MutualAuth.ConnectionEnd.ListenerStopped, null);
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

    private List<MutualTlsConnection> Take(bool abort)
    {
        var connections = new List<MutualTlsConnection>();
        lock (_lock)
        {
            _isDraining = true;
            _isAborting |= abort;
            foreach (var entry in _connections)
            {
                if (entry.TryGetTarget(out var connection))
                {
                    connections.Add(connection);
                }
            }
        }

        return connections;
    }

    private void Remove(WeakReference<MutualTlsConnection> entry)
    {
        lock (_lock)
        {
            _connections.Remove(entry);
            if (_connections.Count == 0)
            {
                _empty?.TrySetResult();
                _empty = null;
            }
        }
    }
}
