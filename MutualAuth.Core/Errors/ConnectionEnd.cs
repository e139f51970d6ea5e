namespace MutualAuth;

/// <summary>How our side ended a connection, or its own half of it.</summary>
public enum ConnectionEnd
{
    /// <summary>The application disposed of the connection or of its stream.</summary>
    Disposed = 1,

    /// <summary>The application aborted the connection.</summary>
    Aborted = 2,

    /// <summary>
    /// The peer would no longer be accepted, or the connection reached its maximum age or idle time;
    /// <see cref="ConnectionEndedException.Rejection"/> says which.
    /// </summary>
    Invalidated = 3,

    /// <summary>The listener that accepted the connection was stopped, and its time for draining expired.</summary>
    ListenerStopped = 4,

    /// <summary>Only our half ended: the application completed its writes. Reading continues.</summary>
    WritesCompleted = 5,
}
