using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace MutualAuth.Trust;

/// <summary>Known peers for the life of the process; after a restart every peer is new.</summary>
/// <remarks>For tests, and for lists that come from elsewhere at start-up. Safe for concurrent use.</remarks>
public sealed class KnownPeersInMemory : KnownPeerStore
{
    private const int DefaultMaxPeers = 4096;

    private readonly Lock _lock = new();
    private volatile ImmutableDictionary<string, KnownPeer> _peers = ImmutableDictionary.Create<string, KnownPeer>(StringComparer.Ordinal);

    /// <summary>An empty store.</summary>
    /// <param name="maxPeers">How many peers it holds, 1 to 100,000. Default: 4,096.</param>
    public KnownPeersInMemory(int maxPeers = DefaultMaxPeers)
        : base(maxPeers)
    {
    }

    /// <inheritdoc/>
    public override ImmutableDictionary<string, KnownPeer> Peers => _peers;

    internal override string Place => "the store of known peers";

    /// <inheritdoc/>
    public override ValueTask<KnownPeer> AddAsync(KnownPeer peer, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(peer);
        lock (_lock)
        {
            if (_peers.TryGetValue(peer.Name, out var known))
            {
                return new ValueTask<KnownPeer>(known);
            }

            if (_peers.Count >= MaxPeers)
            {
                return ValueTask.FromException<KnownPeer>(Full());
            }

            _peers = _peers.Add(peer.Name, peer);
            return new ValueTask<KnownPeer>(peer);
        }
    }

    /// <inheritdoc/>
    public override ValueTask<bool> ForgetAsync(string name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        ImmutableDictionary<string, KnownPeer> before;
        lock (_lock)
        {
            before = _peers;
            _peers = before.Remove(name);
        }

        SayIfLost(before);
        return new ValueTask<bool>(before.ContainsKey(name));
    }

    internal override ValueTask RefreshAsync(ILogger logger, CancellationToken cancellationToken) => ValueTask.CompletedTask;
}
