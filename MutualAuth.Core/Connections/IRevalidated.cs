using System.Net;
using MutualAuth.Revalidation;

namespace MutualAuth.Connections;

/// <summary>A connection as <see cref="ConnectionRevalidator"/> sees it.</summary>
internal interface IRevalidated
{
    AuthenticatedPeer Peer { get; }

    EndPoint? RemoteEndPoint { get; }

    /// <summary>The time since the last octet of application data; counted from <see cref="CountIdle"/> on, zero before.</summary>
    TimeSpan IdleFor { get; }

    /// <summary>Starts to count the idle time of application data.</summary>
    void CountIdle(TimeProvider time);

    /// <summary>Marks the connection as no longer valid and takes the action. Does not wait for the application.</summary>
    void Invalidate(Invalidation lost);

    /// <summary>Ends the connection after the grace period, so that the peer can distinguish it from a broken one (close_notify).</summary>
    ValueTask EndAsync();

    /// <summary>Calls <paramref name="action"/> once when the connection has ended; at once if it has ended already.</summary>
    void OnEnded(Action action);
}
