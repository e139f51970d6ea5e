namespace MutualAuth.Transport;

/// <summary>
/// Where one handshake of a listener stands: it holds a place only while we compute. While it waits, for the peer or for others, it sits in a bounded
/// room, from which the one that waits longest is ended when too many do.
/// </summary>
internal interface IAdmission
{
    /// <summary>A proxy has said where the peer is: from here on the bounds for one address apply, to that address.</summary>
    void AddressIsKnown();

    /// <summary>The ClientHello is complete: out of the pool of silent sockets, into the room.</summary>
    void HelloIsComplete();

    /// <summary>Out of the room: waits for a place.</summary>
    /// <exception cref="OperationCanceledException">The attempt ended while it waited.</exception>
    ValueTask EnterAsync();

    /// <summary>We wait for the peer: gives the place up, and goes into the room.</summary>
    void BeginWait();

    /// <summary>What the peer sent is there: waits for a place again. Once <see cref="WorkIsDone"/> it does not wait.</summary>
    /// <exception cref="OperationCanceledException">The attempt ended while it waited.</exception>
    ValueTask EndWaitAsync();

    /// <summary>
    /// TLS is complete and the peer's certificate is judged. What is left costs little, or has bounds of its own: no place is needed any more.
    /// </summary>
    void WorkIsDone();

    /// <summary>The attempt has an outcome: out of everything. May be called more than once.</summary>
    void Leave();

    /// <summary>Whether a close that waits for the peer may begin. False when so many wait already that this one must close at once.</summary>
    bool TryBeginLinger();

    /// <summary>A close that waited is over.</summary>
    void EndLinger();
}

/// <summary>Admits every handshake. Used when the caller accepts sockets itself.</summary>
internal sealed class AdmitsAll : IAdmission
{
    internal static readonly AdmitsAll Instance = new();

    public void AddressIsKnown()
    {
    }

    public void HelloIsComplete()
    {
    }

    public ValueTask EnterAsync() => default;

    public void BeginWait()
    {
    }

    public ValueTask EndWaitAsync() => default;

    public void WorkIsDone()
    {
    }

    public void Leave()
    {
    }

    public bool TryBeginLinger() => true;

    public void EndLinger()
    {
    }
}
