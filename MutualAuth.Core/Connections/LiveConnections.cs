namespace MutualAuth.Connections;

/// <summary>The connections of one listener that are not over yet.</summary>
internal sealed class LiveConnections
{
    private readonly Lock _lock = new();
    private readonly HashSet<MutualTlsConnection> _connections = [];
    private TaskCompletionSource? _empty;
    private bool _draining;

    /// <summary>Completes as soon as no connection is left.</summary>
    internal Task WhenAllEnded
    {
        get
        {
            lock (_lock)
            {
                return _connections.Count == 0 ? Task.CompletedTask : (_empty ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }
        }
    }

    internal void Add(MutualTlsConnection connection)
    {
        bool draining;
        lock (_lock)
        {
            _connections.Add(connection);
            draining = _draining;
        }

        connection.OnEnded(() => Remove(connection));
        if (draining)
        {
            connection.RequestDrain();
        }
    }

    /// <summary>Asks every connection, also those that come later, to finish.</summary>
    internal void RequestDrain()
    {
        foreach (var connection in BeginDrain())
        {
            connection.RequestDrain();
        }
    }

    internal void AbortAll()
    {
        foreach (var connection in BeginDrain())
        {
            connection.Abort();
        }
    }

    private MutualTlsConnection[] BeginDrain()
    {
        lock (_lock)
        {
            _draining = true;
            return [.. _connections];
        }
    }

    private void Remove(MutualTlsConnection connection)
    {
        lock (_lock)
        {
            _connections.Remove(connection);
            if (_connections.Count == 0)
            {
                _empty?.TrySetResult();
                _empty = null;
            }
        }
    }
}
