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
    private readonly int _max;
    private readonly int _maxPerAddress;
    private readonly Func<HandshakeAttempt, Rejection> _reason;

    /// <param name="max">The maximum number of attempts.</param>
    /// <param name="maxPerAddress">The maximum number for one address.</param>
    /// <param name="reason">Makes the reason for an evicted attempt.</param>
    internal PendingPool(int max, int maxPerAddress, Func<HandshakeAttempt, Rejection> reason)
    {
        _max = max;
        _maxPerAddress = maxPerAddress;
        _reason = reason;
    }

    /// <summary>Adds the attempt, and evicts those beyond the bounds.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="address">The address under which it counts; null: only the bound for all of them applies.</param>
    internal Entry Add(HandshakeAttempt attempt, IPAddress? address)
    {
        var seat = new Entry(this, attempt, address);
        Entry? evicted = null;
        lock (_lock)
        {
            var siblings = seat.Key is null ? null : _byAddress.GetValueOrDefault(seat.Key);
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

            seat.InAll = _all.AddLast(seat);
            if (seat.Key is not null)
            {
                if (!_byAddress.TryGetValue(seat.Key, out siblings))
                {
                    _byAddress.Add(seat.Key, siblings = new LinkedList<Entry>());
                }

                seat.InAddress = siblings.AddLast(seat);
            }
        }

        evicted?.Attempt.Abort(_reason(evicted.Attempt));
        return seat;
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

    /// <summary>Ends every attempt that is still here.</summary>
    internal void AbortAll(Rejection reason)
    {
        Entry[] seats;
        lock (_lock)
        {
            seats = [.. _all];
        }

        foreach (var seat in seats)
        {
            seat.Attempt.Abort(reason);
        }
    }

    private void Remove(Entry seat)
    {
        lock (_lock)
        {
            RemoveLocked(seat);
        }
    }

    private void RemoveLocked(Entry seat)
    {
        if (seat.InAll is null)
        {
            return;
        }

        _all.Remove(seat.InAll);
        seat.InAll = null;
        if (seat.InAddress is { } inAddress)
        {
            var siblings = inAddress.List!;
            siblings.Remove(inAddress);
            if (siblings.Count == 0)
            {
                _byAddress.Remove(seat.Key!);
            }

            seat.InAddress = null;
        }
    }

    /// <summary>One attempt's place in the room.</summary>
    internal sealed class Entry(PendingPool room, HandshakeAttempt attempt, IPAddress? key)
    {
        internal HandshakeAttempt Attempt => attempt;

        internal IPAddress? Key => key;

        internal LinkedListNode<Entry>? InAll { get; set; }

        internal LinkedListNode<Entry>? InAddress { get; set; }

        internal void Leave() => room.Remove(this);
    }
}
