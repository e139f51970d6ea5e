namespace MutualAuth.Credentials;

/// <summary>How many iterations each server has shown a user of ours, once it had proven that it knows the user: below that nothing is derived for
/// it any more.</summary>
/// <remarks>
/// Only servers that have proven themselves are remembered: else an impostor that shows a million once would keep the user from the honest one. Held
/// for the
/// servers that were seen last. Safe for use from many threads.
/// </remarks>
internal sealed class IterationFloor
{
    internal const int MaxServers = 256;

    private readonly Lock _lock = new();
    private readonly Dictionary<PeerName, LinkedListNode<Shown>> _byServer = [];
    private readonly LinkedList<Shown> _byAge = new();

    /// <summary>How many servers are remembered.</summary>
    internal int Count
    {
        get
        {
            lock (_lock)
            {
                return _byServer.Count;
            }
        }
    }

    /// <summary>The fewest iterations that this server may show; 0 when it has shown none yet.</summary>
    internal int FloorOf(PeerName server, ScramHash hash)
    {
        lock (_lock)
        {
            return !_byServer.TryGetValue(server, out var node) ? 0
                : node.Value.ByHash.TryGetValue(hash, out var shown) ? shown
                : node.Value.ByHash.Max(other => Equivalent(other.Value, other.Key, hash));
        }
    }

    /// <summary>The server has shown so many, and has proven itself.</summary>
    internal void Remember(PeerName server, ScramHash hash, int iterations)
    {
        lock (_lock)
        {
            if (_byServer.TryGetValue(server, out var node))
            {
                _byAge.Remove(node);
            }
            else
            {
                if (_byServer.Count >= MaxServers)
                {
                    _byServer.Remove(_byAge.First!.Value.Server);
                    _byAge.RemoveFirst();
                }

                node = new LinkedListNode<Shown>(new Shown(server, []));
                _byServer.Add(server, node);
            }

            _byAge.AddLast(node);
            node.Value.ByHash[hash] = Math.Max(iterations, node.Value.ByHash.GetValueOrDefault(hash));
        }
    }

    /// <summary>
    /// With another hash an impostor must not get a cheaper proof. An iteration of SHA-512 is dearer than one of SHA-256; what a server that changes
    /// hashes
    /// asks for is at least the same share of the hash's own figure, or the same count.
    /// </summary>
    private static int Equivalent(int shown, ScramHash before, ScramHash now) =>
        (int)Math.Min(shown, (((long)shown * now.DefaultIterations) + before.DefaultIterations - 1) / before.DefaultIterations);

    private sealed record Shown(PeerName Server, Dictionary<ScramHash, int> ByHash);
}
