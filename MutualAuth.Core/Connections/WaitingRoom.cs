using System.Net;
using System.Net.Sockets;
using MutualAuth.Errors;
using MutualAuth.Handshake;

namespace MutualAuth.Connections;

/// <summary>A bounded pool of sockets on whose clients we wait: for a complete ClientHello, or for a message of a login. A newcomer is always let in; the oldest makes room.</summary>
/// <remarks>So a flood of silent sockets costs silent sockets their place, and an honest client, who says at once what is to be said, needs its own only for a moment.</remarks>
internal sealed class WaitingRoom
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Seat> _all = new();
    private readonly Dictionary<IPAddress, LinkedList<Seat>> _byAddress = [];
    private readonly int _max;
    private readonly int _maxPerAddress;
    private readonly Func<HandshakeAttempt, Rejection> _reason;

    /// <param name="max">How many may be in it.</param>
    /// <param name="maxPerAddress">How many of one address.</param>
    /// <param name="reason">Says why an attempt is ended that must make room.</param>
    internal WaitingRoom(int max, int maxPerAddress, Func<HandshakeAttempt, Rejection> reason)
    {
        _max = max;
        _maxPerAddress = maxPerAddress;
        _reason = reason;
    }

    /// <summary>Takes the attempt in, and evicts whoever is too many.</summary>
    internal Seat Add(HandshakeAttempt attempt)
    {
        var seat = new Seat(this, attempt, KeyOf(attempt.RemoteEndPoint));
        Seat? evicted = null;
        lock (_lock)
        {
            if (!_byAddress.TryGetValue(seat.Key, out var siblings))
            {
                _byAddress.Add(seat.Key, siblings = new LinkedList<Seat>());
            }

            if (siblings.Count >= _maxPerAddress)
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
                _byAddress.TryAdd(seat.Key, siblings);
            }

            seat.InAll = _all.AddLast(seat);
            seat.InAddress = siblings.AddLast(seat);
        }

        evicted?.Attempt.Abort(_reason(evicted.Attempt));
        return seat;
    }

    /// <summary>Ends every attempt that is still here.</summary>
    internal void AbortAll(Rejection reason)
    {
        Seat[] seats;
        lock (_lock)
        {
            seats = [.. _all];
        }

        foreach (var seat in seats)
        {
            seat.Attempt.Abort(reason);
        }
    }

    private void Remove(Seat seat)
    {
        lock (_lock)
        {
            RemoveLocked(seat);
        }
    }

    private void RemoveLocked(Seat seat)
    {
        if (seat.InAll is null || seat.InAddress is null)
        {
            return;
        }

        _all.Remove(seat.InAll);
        var siblings = seat.InAddress.List!;
        siblings.Remove(seat.InAddress);
        if (siblings.Count == 0)
        {
            _byAddress.Remove(seat.Key);
        }

        seat.InAll = null;
        seat.InAddress = null;
    }

    // Whoever has one IPv6 address has the /64 around it.
    private static IPAddress KeyOf(EndPoint? endPoint)
    {
        if (endPoint is not IPEndPoint { Address: var address })
        {
            return IPAddress.None;
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new IPAddress(bytes);
    }

    /// <summary>One attempt's place in the room.</summary>
    internal sealed class Seat(WaitingRoom room, HandshakeAttempt attempt, IPAddress key)
    {
        internal HandshakeAttempt Attempt => attempt;

        internal IPAddress Key => key;

        internal LinkedListNode<Seat>? InAll { get; set; }

        internal LinkedListNode<Seat>? InAddress { get; set; }

        internal void Leave() => room.Remove(this);
    }
}
