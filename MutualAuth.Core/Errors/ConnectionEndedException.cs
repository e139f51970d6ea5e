namespace MutualAuth;

/// <summary>How our side ended a connection, or its own half of it.</summary>
public enum ConnectionEnd
{
    /// <summary>The application disposed of the connection or of its stream.</summary>
    Disposed = 1,

    /// <summary>The application aborted the connection.</summary>
    Aborted = 2,

    /// <summary>
    /// The peer is no longer authorized, or the connection reached its maximum age or was idle for too long; <see
    /// cref="ConnectionEndedException.Rejection"/>
    /// says which.
    /// </summary>
    Invalidated = 3,

    /// <summary>The listener that accepted the connection was stopped, and its drain timeout expired.</summary>
    ListenerStopped = 4,

    /// <summary>Only our half ended: the application completed its writes. Reading is still possible.</summary>
    WritesCompleted = 5,
}

/// <summary>
/// Thrown by every pending or later read and write of a connection's stream after our side has ended the connection. It is an
/// <see cref="IOException"/>, so that one handler covers both sides' ends.
/// </summary>
/// <remarks>Immutable. Failures caused by the peer or the transport throw a different <see cref="IOException"/>.</remarks>
public sealed class ConnectionEndedException : IOException
{
    internal ConnectionEndedException(ConnectionEnd end, Rejection? rejection, Exception? innerException = null)
        : base(Describe(end, rejection), innerException)
    {
        End = end;
        Rejection = rejection;
    }

    /// <summary>How the connection ended.</summary>
    public ConnectionEnd End { get; }

    /// <summary>Why the connection was invalidated; null unless <see cref="End"/> is <see cref="ConnectionEnd.Invalidated"/>.</summary>
    public Rejection? Rejection { get; }

    private static string Describe(ConnectionEnd end, Rejection? rejection) => end switch
    {
        ConnectionEnd.Disposed => "The connection was disposed.",
        ConnectionEnd.Aborted => "The connection was aborted.",
        ConnectionEnd.ListenerStopped => "The connection was closed because its listener was stopped.",
        ConnectionEnd.WritesCompleted => "Our side has completed its writes; it can still read.",
        _ => $"The connection was closed because it is no longer valid. {rejection}",
    };
}
