namespace MutualAuth;

/// <summary>The action on a live connection that is no longer valid.</summary>
public enum InvalidationAction
{
    /// <summary>
    /// The application is told (<see cref="MutualTlsConnection.NoLongerValid"/>), and the connection stays open. The application decides whether to
    /// end it.
    /// </summary>
    Notify = 1,

    /// <summary>
    /// The application is asked to finish (<see cref="MutualTlsConnection.DrainRequested"/>), and has the grace period for it. Then the connection is
    /// closed; the peer sees close_notify (RFC 8446 §6.1).
    /// </summary>
    Drain = 2,

    /// <summary>The connection ends at once. The peer sees a reset, and data in flight is lost.</summary>
    Abort = 3,
}
