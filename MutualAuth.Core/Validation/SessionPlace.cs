namespace MutualAuth.Validation;

/// <summary>One place among the sessions of a user and a device. The lock of its <see cref="SessionLimits"/> guards what changes.</summary>
/// <remarks>It does not keep its connection alive: one that the application forgot gives its place back when it is reclaimed.</remarks>
internal sealed class SessionPlace(SessionLimits limits) : IEndListener, IDisposable
{
    private WeakReference<ICountedSession>? _session;

    internal string? User { get; init; }

    internal PeerName? Device { get; init; }

    internal LinkedListNode<SessionPlace>? InUser { get; set; }

    internal LinkedListNode<SessionPlace>? InDevice { get; set; }

    /// <summary>It has been given back, and is not taken again.</summary>
    internal bool IsOver { get; set; }

    /// <summary>
    /// Passes it on to a connection, which gives it back when it ends. Who has to give way for it is cut before this returns; for a connection that
    /// has ended already no one has to.
    /// </summary>
    internal void PassTo(ICountedSession session)
    {
        _session = new(session);
        session.OnEnded(this);
        foreach (var (place, rejection) in limits.Establish(this))
        {
            if (place._session?.TryGetTarget(out var old) == true)
            {
                old.End(rejection);
            }
        }
    }

    void IEndListener.HasEnded() => Dispose();

    /// <summary>Gives it back; a second time has no effect.</summary>
    public void Dispose() => limits.GiveBack(this);
}

/// <summary>A connection as <see cref="SessionLimits"/> sees it.</summary>
internal interface ICountedSession
{
    /// <summary>Tells <paramref name="listener"/> once when the connection has ended; at once if it has ended already.</summary>
    void OnEnded(IEndListener listener);

    /// <summary>Cuts the connection: when this returns, its transport is closed.</summary>
    void End(Rejection rejection);
}
