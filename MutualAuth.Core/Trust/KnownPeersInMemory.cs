using Microsoft.Extensions.Logging;

namespace MutualAuth.Trust;

/// <summary>Known peers for the lifetime of the process: after a restart, every peer is met for the first time.</summary>
/// <remarks>For tests, and for lists that come from elsewhere at start-up. Safe for concurrent use.</remarks>
public sealed class KnownPeersInMemory : KnownPeerStore
{
    private const int DefaultMaxPeers = 4096;

    private readonly Lock _lock = new();
    private volatile KnownPeerSet _keys = KnownPeerSet.Empty;

    /// <summary>An empty store.</summary>
    /// <param name="maxPeers">The maximum number of keys, 1 to 100,000. Default: 4,096.</param>
    public KnownPeersInMemory(int maxPeers = DefaultMaxPeers)
        : base(maxPeers)
    {
    }

    internal override KnownPeerSet Current => _keys;

    internal override string Place => "the store of known peers";

    internal override ValueTask RefreshAsync(ILogger logger, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    private protected override ValueTask<bool> ChangeAsync(Func<KnownPeerSet, KnownPeerSet> change, CancellationToken cancellationToken)
    {
        KnownPeerSet before;
        lock (_lock)
        {
            before = _keys;
            _keys = change(before);
        }

        SayIfLost(before);
        return new ValueTask<bool>(!ReferenceEquals(before, Current));
    }
}
