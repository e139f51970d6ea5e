namespace MutualAuth;

/// <summary>
/// Thrown by every pending or later read and write of a connection's stream once our side has ended the connection. It is an
/// <see cref="IOException"/>, so that one handler covers the peer's end and ours.
/// </summary>
/// <remarks>Immutable. Failures that the peer or the transport causes are other <see cref="IOException"/>s.</remarks>
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

    /// <summary>The reason why the connection is no longer valid; null unless <see cref="End"/> is <see cref="ConnectionEnd.Invalidated"/>.</summary>
    public Rejection? Rejection { get; }

    private static string Describe(ConnectionEnd end, Rejection? rejection) => end switch
    {
        ConnectionEnd.Disposed => "The connection was disposed.",
        ConnectionEnd.Aborted => "The connection was aborted.",
        ConnectionEnd.ListenerStopped => "The connection was closed because its listener was stopped.",
        ConnectionEnd.WritesCompleted => "Our side has completed its writes; it can still read.",
        _ => $"The connection was ended because it is no longer valid. {rejection}",
    };
}
