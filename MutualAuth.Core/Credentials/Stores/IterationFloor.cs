namespace MutualAuth.Credentials;

/// <summary>
/// The iteration count that each server has used for a user of ours, once it had proven that it knows the user: nothing is derived for it
/// below that count.
/// </summary>
/// <remarks>
/// Only servers that have proven themselves are remembered: otherwise an impostor that asks once for a million would lock the user out of
/// the honest server. Held for the servers that were seen last. Safe for use from many threads.
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
    /// With another hash an impostor must not get a cheaper proof. An iteration of SHA-512 is more expensive than one of SHA-256; the
    /// minimum after a change of hashes is the same share of the new hash's own default, or the same count.
    /// </summary>
    private static int Equivalent(int shown, ScramHash before, ScramHash now) =>
        (int)Math.Min(shown, (((long)shown * now.DefaultIterations) + before.DefaultIterations - 1) / before.DefaultIterations);

    private sealed record Shown(PeerName Server, Dictionary<ScramHash, int> ByHash);
}
