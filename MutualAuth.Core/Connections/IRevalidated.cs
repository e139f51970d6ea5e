using System.Collections.Immutable;
using System.Net;
using MutualAuth.Evidence;
using MutualAuth.Revalidation;
using MutualAuth.Validation;

namespace MutualAuth.Connections;

/// <summary>A connection as <see cref="ConnectionRevalidator"/> sees it.</summary>
internal interface IRevalidated
{
    AuthenticatedPeer Peer { get; }

    EndPoint? RemoteEndPoint { get; }

    /// <summary>Names the connection in logs and in the audit.</summary>
    string Id => "none";

    /// <summary>The time since the last octet of application data; counted from <see cref="CountIdle"/> on, zero before.</summary>
    TimeSpan IdleFor { get; }

    /// <summary>Starts to count the idle time of application data.</summary>
    void CountIdle(TimeProvider time);

    /// <summary>Marks the connection as no longer valid and takes the action. Does not wait for the application.</summary>
    void Invalidate(Invalidation lost);

    /// <summary>Ends the connection after the grace period, so that the peer can distinguish it from a broken one (close_notify).</summary>
    ValueTask EndAsync();

    /// <summary>Tells <paramref name="listener"/> once when the connection has ended; at once if it has ended already.</summary>
    void OnEnded(IEndListener listener);

    /// <summary>Gives the connection its place in the registry, once.</summary>
    void Attach(ILiveEntry entry)
    {
    }

    /// <summary>The user has authenticated again.</summary>
    void Replace(AuthenticatedUser user)
    {
    }

    /// <summary>Validators have said again what they know of the peer.</summary>
    void Replace(ImmutableArray<FactLease> leases)
    {
    }

    /// <summary>What it was told is taken back: it is valid, and need not drain.</summary>
    void Restore()
    {
    }
}

/// <summary>A connection's place in the registry, as the connection sees it.</summary>
internal interface ILiveEntry
{
    /// <summary>When it ends, as far as that is known; null when it is not.</summary>
    DateTimeOffset? ValidUntil { get; }

    /// <summary>
    /// The user, the same one, has authenticated again: what the login relied on counts from now. A drain is taken back whose cause that removes.
    /// </summary>
    /// <returns>False when the connection is over, or does not hold for another reason.</returns>
    bool Renew(AuthenticatedUser user);

    /// <summary>The user did something just now.</summary>
    /// <returns>False when the connection is over, or when it comes too late.</returns>
    bool RecordUserActivity();

    /// <summary>Ends the connection, or has it drain, for this reason.</summary>
    /// <returns>False when it has ended, or was already to end in this way.</returns>
    bool End(Rejection rejection, InvalidationAction action);
}
