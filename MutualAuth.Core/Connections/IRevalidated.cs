using System.Net;
using MutualAuth.Revalidation;

namespace MutualAuth.Connections;

/// <summary>A connection as <see cref="ConnectionRevalidator"/> sees it.</summary>
internal interface IRevalidated
{
    AuthenticatedPeer Peer { get; }

    EndPoint? RemoteEndPoint { get; }

    /// <summary>For how long no octet of the application's has moved since <see cref="CountIdle"/>; without that, for no time at all.</summary>
    TimeSpan IdleFor { get; }

    /// <summary>From here on counts for how long no octet of the application's moves.</summary>
    void CountIdle(TimeProvider time);

    /// <summary>Records that the connection is no longer valid, and takes the action. Does not wait for the application.</summary>
    void Invalidate(Invalidation lost);

    /// <summary>The grace period is over: ends it in a way that the peer can tell from a broken one.</summary>
    ValueTask EndAsync();

    /// <summary>Has <paramref name="action"/> called once when it is over; at once if it is already.</summary>
    void OnEnded(Action action);
}
