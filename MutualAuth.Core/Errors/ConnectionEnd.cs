namespace MutualAuth;

/// <summary>How our side ended a connection, or its own half of it.</summary>
public enum ConnectionEnd
{
    /// <summary>The application disposed of the connection or of its stream.</summary>
    Disposed = 1,

    /// <summary>The application aborted the connection.</summary>
    Aborted = 2,

    /// <summary>
    /// The peer would no longer be let in, or the connection reached its greatest age or was idle for too long; <see
    /// cref="ConnectionEndedException.Rejection"/>
    /// says which.
    /// </summary>
    Invalidated = 3,

    /// <summary>The listener that accepted the connection was stopped, and its time for draining was over.</summary>
    ListenerStopped = 4,

    /// <summary>Only our half ended: the application completed its writes. Reading goes on.</summary>
    WritesCompleted = 5,
}
