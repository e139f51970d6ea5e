using System.Net;
using MutualAuth.Collections;

namespace MutualAuth.Connections;

/// <summary>
/// How many handshakes each address recently began and did not finish. A successful handshake clears its address. The counts decide only
/// the order in which handshakes wait; no handshake is rejected because of them.
/// </summary>
/// <remarks>
/// A count halves every ten seconds. Of more addresses than it holds, the one that was quiet for longest is forgotten. Safe for use from many
/// threads.
/// </remarks>
internal sealed class UnfinishedHandshakeCounts(int capacity, TimeProvider time)
{
    internal const double HalfLifeSeconds = 10;

    private readonly Lock _lock = new();
    private readonly BoundedCache<IPAddress, Entry> _byAddress = new(capacity);

    /// <summary>Counts one more.</summary>
    /// <returns>How many there are now, this one among them.</returns>
    internal double Begin(IPAddress address)
    {
        var now = time.GetTimestamp();
        lock (_lock)
        {
            var count = (_byAddress.TryGet(address, out var known) ? Decayed(known, now) : 0) + 1;
            _byAddress.Set(address, new Entry(count, now));
            return count;
        }
    }

    /// <summary>How many there are.</summary>
    internal double CountOf(IPAddress address)
    {
        var now = time.GetTimestamp();
        lock (_lock)
        {
            return _byAddress.TryGet(address, out var known) ? Decayed(known, now) : 0;
        }
    }

    /// <summary>A handshake of this address succeeded.</summary>
    internal void Clear(IPAddress address)
    {
        lock (_lock)
        {
            _byAddress.Remove(address);
        }
    }

    private double Decayed(Entry entry, long now) =>
        entry.Count * Math.Pow(0.5, time.GetElapsedTime(entry.Since, now).TotalSeconds / HalfLifeSeconds);

    private readonly record struct Entry(double Count, long Since);
}
