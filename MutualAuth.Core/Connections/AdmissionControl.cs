using System.Net;
using MutualAuth.Collections;
using MutualAuth.Errors;
using MutualAuth.Handshake;

namespace MutualAuth.Connections;

/// <summary>
/// What one listener spends on handshakes: the pool of silent sockets, the pool of those that wait, the slots for those that compute, and how many
/// closes linger. Safe for use from many threads.
/// </summary>
internal sealed class AdmissionControl
{
    private const int AddressesRemembered = 4096;

    private readonly HandshakeSlots _slots;
    private readonly UnfinishedHandshakeCounts _unfinished;
    private readonly int _maxLingering;
    private int _lingering;

    internal AdmissionControl(AdmissionBounds bounds, TimeProvider time)
    {
        Pending = new PendingPool(bounds.PendingHellos, bounds.PendingHellosPerAddress, attempt => new Rejection(
            RejectionReason.EvictedBeforeHello,
            "a ClientHello before the pool of silent sockets was full",
            $"{attempt.Transport.Received} bytes of one"));
        Waiting = new PendingPool(bounds.WaitingHandshakes, bounds.WaitingHandshakesPerAddress, _ => new Rejection(
            RejectionReason.Overloaded, "the peer's next message before too many handshakes waited for theirs", "none"));
        _slots = new HandshakeSlots(bounds.ConcurrentHandshakes, bounds.QueuedHandshakes);
        _unfinished = new UnfinishedHandshakeCounts(AddressesRemembered, time);
        _maxLingering = bounds.LingeringCloses;
    }

    /// <summary>The pool of silent sockets.</summary>
    internal PendingPool Pending { get; }

    /// <summary>The pool of those that wait for the peer, or for a slot.</summary>
    internal PendingPool Waiting { get; }

    /// <summary>Takes a fresh socket into the pool of silent ones, from which another may be evicted for it.</summary>
    internal HandshakeAdmission Admit(HandshakeAttempt attempt, bool isFromProxy = false) => new(this, attempt, isFromProxy);

    /// <summary>Frees descriptors: evicts silent sockets, or else handshakes that wait.</summary>
    /// <returns>Whether one was evicted.</returns>
    internal bool Evict(int count) => Pending.Evict(count) > 0 || Waiting.Evict(count) > 0;

    /// <summary>
    /// Ends all that have not said a ClientHello, those included that come from now on: a socket that was accepted before a stop may be admitted
    /// after it.
    /// </summary>
    internal void EndSilent(Rejection reason) => Pending.Close(reason);

    /// <summary>Takes a slot for a connection that waits for the application.</summary>
    internal HandshakeSlots.Slot HoldSlot() => _slots.Hold();

    internal ValueTask<HandshakeSlots.Slot> EnterAsync(HandshakeAttempt attempt, IPAddress? address, bool isNew)
    {
        var unfinished = address is null ? 0 : isNew ? _unfinished.Begin(address) : _unfinished.CountOf(address);
        return _slots.EnterAsync(attempt, address, unfinished, isNew);
    }

    /// <summary>A handshake from this address succeeded: the peer is no stranger.</summary>
    internal void Clear(IPAddress address) => _unfinished.Clear(address);

    internal bool TryBeginLinger()
    {
        if (Interlocked.Increment(ref _lingering) <= _maxLingering)
        {
            return true;
        }

        EndLinger();
        return false;
    }

    internal void EndLinger() => Interlocked.Decrement(ref _lingering);
}
