namespace MutualAuth;

/// <summary>
/// What every read and write of a connection's stream throws, pending or later, once our side has ended the connection. It is an
/// <see cref="IOException"/>, so that one handler serves the peer's end and ours.
/// </summary>
/// <remarks>Immutable. What the peer or the transport does shows as another <see cref="IOException"/>.</remarks>
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

    /// <summary>Why the connection lost its ground; null unless <see cref="End"/> is <see cref="ConnectionEnd.Invalidated"/>.</summary>
    public Rejection? Rejection { get; }

    private static string Describe(ConnectionEnd end, Rejection? rejection) => end switch
    {
        ConnectionEnd.Disposed => "The connection was disposed of.",
        ConnectionEnd.Aborted => "The connection was aborted.",
        ConnectionEnd.ListenerStopped => "The listener was stopped, and the connection with it.",
        ConnectionEnd.WritesCompleted => "Our side has completed its writes; it can still read.",
        _ => $"The connection was ended because it lost its ground. {rejection}",
    };
}
