using MutualAuth.Names;

namespace MutualAuth.Credentials;

/// <summary>How many iterations each server has shown a user of ours, once it had proven that it knows the user: below that nothing is derived for it any more.</summary>
/// <remarks>Held for the servers that were seen last. Safe for use from many threads.</remarks>
internal sealed class ShownIterations
{
    internal const int MaxServers = 256;

    /// <summary>How many servers are remembered.</summary>
    internal int Count => 0;

    /// <summary>The fewest iterations that this server may show; 0 when it has shown none yet.</summary>
    internal int FloorOf(PeerName server, ScramHash hash) => 0;

    /// <summary>The server has shown so many, and has proven itself.</summary>
    internal void Remember(PeerName server, ScramHash hash, int iterations)
    {
    }
}
