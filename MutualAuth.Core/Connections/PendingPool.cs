using System.Net;
using MutualAuth.Handshake;

namespace MutualAuth.Connections;

/// <summary>
/// A bounded pool of handshakes that wait for a complete ClientHello or for the peer's next flight, verdict or message. A new one is always admitted;
/// the oldest of its address is evicted, or the oldest of all.
/// </summary>
/// <remarks>So a flood of silent sockets evicts silent sockets, while an honest client, which sends at once, needs its place only briefly.</remarks>
internal sealed class PendingPool
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Entry> _all = new();
    private readonly Dictionary<IPAddress, LinkedList<Entry>> _byAddress = [];
    private LinkedList<Entry>? _spare; // an empty one: each address comes and goes several times in a handshake
    private readonly int _max;
    private readonly int _maxPerAddress;
    private readonly Func<HandshakeAttempt, Rejection> _reason;
    private Rejection? _closed;

    /// <param name="max">The maximum number of attempts.</param>
    /// <param name="maxPerAddress">The maximum number for one address.</param>
    /// <param name="reason">Makes the reason for an evicted attempt.</param>
    internal PendingPool(int max, int maxPerAddress, Func<HandshakeAttempt, Rejection> reason)
    {
        _max = max;
        _maxPerAddress = maxPerAddress;
        _reason = reason;
    }

    /// <summary>Gives the attempt a place as the newest, and evicts those beyond the bounds. After <see cref="Close"/> it ends the attempt.</summary>
    /// <param name="seat">What holds its place, which is in no other pool.</param>
    /// <param name="address">The address under which it counts; null: only the bound for all of them applies.</param>
    internal void Add(Entry seat, IPAddress? address)
    {
        Entry? evicted = null;
        Rejection? closed;
        lock (_lock)
        {
            closed = _closed;
            RemoveLocked(seat);
            seat.Key = address;
            var siblings = address is null ? null : _byAddress.GetValueOrDefault(address);
            if (siblings?.Count >= _maxPerAddress)
            {
                evicted = siblings.First!.Value;
            }
            else if (_all.Count >= _max)
            {
                evicted = _all.First!.Value;
            }

            if (evicted is not null)
            {
                RemoveLocked(evicted);
            }

            _all.AddLast(seat.InAll);
            if (address is not null)
            {
                if (!_byAddress.TryGetValue(address, out siblings))
                {
                    (siblings, _spare) = (_spare ?? new LinkedList<Entry>(), null);
                    _byAddress.Add(address, siblings);
                }

                siblings.AddLast(seat.InAddress);
            }
        }

        evicted?.Attempt.Abort(_reason(evicted.Attempt));
        if (closed is not null)
        {
            seat.Attempt.Abort(closed);
        }
    }

    /// <summary>Takes the attempt out; without effect when it is not here any more.</summary>
    internal void Remove(Entry seat)
    {
        lock (_lock)
        {
            RemoveLocked(seat);
        }
    }

    /// <summary>Evicts the oldest attempts, up to a maximum number.</summary>
    /// <returns>How many.</returns>
    internal int Evict(int count)
    {
        var evicted = new List<Entry>(count);
        lock (_lock)
        {
            while (evicted.Count < count && _all.First is { Value: var oldest })
            {
                RemoveLocked(oldest);
                evicted.Add(oldest);
            }
        }

        foreach (var seat in evicted)
        {
            seat.Attempt.Abort(_reason(seat.Attempt));
        }

        return evicted.Count;
    }

    /// <summary>Ends every attempt that is here, and every one that comes.</summary>
    internal void Close(Rejection reason)
    {
        Entry[] seats;
        lock (_lock)
        {
            _closed ??= reason;
            seats = [.. _all];
        }

        foreach (var seat in seats)
        {
            seat.Attempt.Abort(reason);
        }
    }

    private void RemoveLocked(Entry seat)
    {
        if (seat.InAll.List is null)
        {
            return;
        }

        _all.Remove(seat.InAll);
        if (seat.InAddress.List is { } siblings)
        {
            siblings.Remove(seat.InAddress);
            if (siblings.Count == 0)
            {
                _byAddress.Remove(seat.Key!);
                _spare = siblings;
            }
        }
    }

    /// <summary>
    /// One attempt's place, in one pool at a time. It goes in and out several times in a handshake, and so keeps its nodes. What it holds is guarded
    /// by the lock of the pool that it is in.
    /// </summary>
    internal sealed class Entry
    {
        internal Entry(HandshakeAttempt attempt)
        {
            Attempt = attempt;
            InAll = new LinkedListNode<Entry>(this);
            InAddress = new LinkedListNode<Entry>(this);
        }

        internal HandshakeAttempt Attempt { get; }

        internal IPAddress? Key { get; set; }

        internal LinkedListNode<Entry> InAll { get; }

        internal LinkedListNode<Entry> InAddress { get; }
    }
}
