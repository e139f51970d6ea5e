using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace MutualAuth.Trust;

/// <summary>Where the keys of known peers are kept: <see cref="KnownPeersFile"/>, or <see cref="KnownPeersInMemory"/>.</summary>
/// <remarks>A name has one key at a time. It is never replaced: forget the peer, and meet it again. Safe for concurrent use.</remarks>
public abstract class KnownPeerStore
{
    // A closed family: what it promises about concurrent first uses must hold.
    private protected KnownPeerStore(int maxPeers)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxPeers, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxPeers, 100_000);
        MaxPeers = maxPeers;
    }

    /// <summary>
    /// The maximum number of stored peers; further peers are rejected. The bound is needed because with trust on first use every peer that the
    /// authorization rule accepts can add an entry.
    /// </summary>
    public int MaxPeers { get; }

    /// <summary>Who is known at this moment: a snapshot, by name.</summary>
    public abstract ImmutableDictionary<string, KnownPeer> Peers { get; }

    /// <summary>Adds a peer unless its name is known already: of two first uses at once, one comes first, also between processes.</summary>
    /// <returns>
    /// The peer that is known under this name from now on: the given one, or the one that was there before, perhaps with another key.
    /// </returns>
    /// <exception cref="MaterialException">It cannot be kept: the store is full, or its file is damaged, missing or cannot be written.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended while another writer was waited for.</exception>
    public abstract ValueTask<KnownPeer> AddAsync(KnownPeer peer, CancellationToken cancellationToken = default);

    /// <summary>Forgets a peer, so that it can be met for the first time again, with another key. Its live connections are invalidated.</summary>
    /// <returns>False if no peer of this name was known.</returns>
    /// <exception cref="MaterialException">The change cannot be kept.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended while another writer was waited for.</exception>
    public abstract ValueTask<bool> ForgetAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Raised after a known peer was removed or its key replaced. Not raised for new peers, which invalidate no connection.</summary>
    internal event EventHandler? Lost;

    /// <summary>Where the peers are, in words, for a hint.</summary>
    internal abstract string Place { get; }

    /// <summary>Takes in what others have changed. What fails leaves the last good state and is logged.</summary>
    internal abstract ValueTask RefreshAsync(ILogger logger, CancellationToken cancellationToken);

    private protected void SayIfLost(ImmutableDictionary<string, KnownPeer> before)
    {
        var now = Peers;
        if (!ReferenceEquals(before, now) && before.Values.Any(peer => !now.TryGetValue(peer.Name, out var known) || !known.Key.Equals(peer.Key)))
        {
            Lost?.Invoke(this, EventArgs.Empty);
        }
    }

    private protected MaterialException Full() => new($"{Place} holds {MaxPeers} peers, which is its bound; forget some, or allow more with MaxPeers.");
}
