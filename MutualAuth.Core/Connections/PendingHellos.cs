using System.Net;
using System.Net.Sockets;
using MutualAuth.Errors;
using MutualAuth.Handshake;

namespace MutualAuth.Connections;

/// <summary>The bounded pool of sockets whose ClientHello is not complete. A newcomer is always let in; the oldest makes room.</summary>
/// <remarks>So a flood of silent sockets costs silent sockets their place, and an honest client, whose hello comes at once, needs its own only for a moment.</remarks>
internal sealed class PendingHellos
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Seat> _all = new();
    private readonly Dictionary<IPAddress, LinkedList<Seat>> _byAddress = [];
    private readonly int _max;
    private readonly int _maxPerAddress;

    internal PendingHellos(int max, int maxPerAddress)
    {
        _max = max;
        _maxPerAddress = maxPerAddress;
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

        evicted?.Attempt.Abort(new Rejection(RejectionReason.EvictedBeforeHello, "a ClientHello before the pool of silent sockets was full", $"{evicted.Attempt.Transport.Received} bytes of one"));
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

    /// <summary>One attempt's place in the pool.</summary>
    internal sealed class Seat(PendingHellos pool, HandshakeAttempt attempt, IPAddress key)
    {
        internal HandshakeAttempt Attempt => attempt;

        internal IPAddress Key => key;

        internal LinkedListNode<Seat>? InAll { get; set; }

        internal LinkedListNode<Seat>? InAddress { get; set; }

        internal void Leave() => pool.Remove(this);
    }
}
