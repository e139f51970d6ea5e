using System.Net;

namespace MutualAuth.Connections;

/// <summary>
/// How many handshakes each address recently began and did not finish. A successful handshake clears its address. The counts decide only
/// the order in which handshakes wait; no handshake is rejected because of them.
/// </summary>
/// <remarks>A count halves every ten seconds. Of more addresses than it holds, the one that was quiet for longest is forgotten. Safe for use from many threads.</remarks>
internal sealed class UnfinishedHandshakeCounts(int capacity, TimeProvider time)
{
    internal const double HalfLifeSeconds = 10;

    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, LinkedListNode<Entry>> _byAddress = [];
    private readonly LinkedList<Entry> _byAge = new();

    /// <summary>Counts one more.</summary>
    /// <returns>How many there are now, this one among them.</returns>
    internal double Begin(IPAddress address)
    {
        var now = time.GetTimestamp();
        lock (_lock)
        {
            if (_byAddress.TryGetValue(address, out var node))
            {
                _byAge.Remove(node);
            }
            else
            {
                node = new LinkedListNode<Entry>(new Entry(address));
                _byAddress.Add(address, node);
            }

            _byAge.AddLast(node);
            if (_byAddress.Count > capacity)
            {
                Forget(_byAge.First!);
            }

            node.Value.Count = Decayed(node.Value, now) + 1;
            node.Value.Since = now;
            return node.Value.Count;
        }
    }

    /// <summary>How many there are.</summary>
    internal double CountOf(IPAddress address)
    {
        var now = time.GetTimestamp();
        lock (_lock)
        {
            return _byAddress.TryGetValue(address, out var node) ? Decayed(node.Value, now) : 0;
        }
    }

    /// <summary>A handshake of this address succeeded.</summary>
    internal void Clear(IPAddress address)
    {
        lock (_lock)
        {
            if (_byAddress.TryGetValue(address, out var node))
            {
                Forget(node);
            }
        }
    }

    private double Decayed(Entry entry, long now) => entry.Count == 0 ? 0 : entry.Count * Math.Pow(0.5, time.GetElapsedTime(entry.Since, now).TotalSeconds / HalfLifeSeconds);

    private void Forget(LinkedListNode<Entry> node)
    {
        _byAge.Remove(node);
        _byAddress.Remove(node.Value.Address);
    }

    private sealed class Entry(IPAddress address)
    {
        internal IPAddress Address => address;

        internal double Count { get; set; }

        internal long Since { get; set; }
    }
}
