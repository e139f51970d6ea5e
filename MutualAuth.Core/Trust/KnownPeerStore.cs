using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace MutualAuth.Trust;

/// <summary>A store for the keys of known peers: <see cref="KnownPeersFile"/>, or <see cref="KnownPeersInMemory"/>.</summary>
/// <remarks>A name has one key at a time. A key is never replaced: forget the peer first, and meet it again. Safe for concurrent use.</remarks>
public abstract class KnownPeerStore
{
    // A closed family: the guarantees about concurrent first uses must hold in every implementation.
    private protected KnownPeerStore(int maxPeers)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxPeers, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxPeers, 100_000);
        MaxPeers = maxPeers;
    }

    /// <summary>
    /// The maximum number of peers; a further peer is rejected. The bound is needed because, with trust on first use, any peer that the
    /// authorization rule accepts can add itself.
    /// </summary>
    public int MaxPeers { get; }

    /// <summary>The peers that are known now, by name: a snapshot.</summary>
    public abstract ImmutableDictionary<string, KnownPeer> Peers { get; }

    /// <summary>
    /// Adds a peer unless its name is already known. Of two concurrent first uses, also in different processes, exactly one is kept.
    /// </summary>
    /// <returns>The peer that is known under this name from now on: the given one, or the existing one, which may have another key.</returns>
    /// <exception cref="MaterialException">
    /// The peer cannot be kept: the store is full, or its file is damaged, missing or cannot be written.
    /// </exception>
    /// <exception cref="OperationCanceledException">
    /// <paramref name="cancellationToken"/> was cancelled while this call waited for another writer.
    /// </exception>
    public abstract ValueTask<KnownPeer> AddAsync(KnownPeer peer, CancellationToken cancellationToken = default);

    /// <summary>
    /// Forgets a peer, so that it can be met for the first time again, with another key. Its live connections are no longer authorized.
    /// </summary>
    /// <returns>False when no peer of this name was known.</returns>
    /// <exception cref="MaterialException">The change cannot be kept.</exception>
    /// <exception cref="OperationCanceledException">
    /// <paramref name="cancellationToken"/> was cancelled while this call waited for another writer.
    /// </exception>
    public abstract ValueTask<bool> ForgetAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Raised after a known peer was removed or its key changed. Not raised for new peers, which invalidate no connection.</summary>
    internal event EventHandler? Lost;

    /// <summary>The location of the peers, as text for a hint.</summary>
    internal abstract string Place { get; }

    /// <summary>Reads changes made by other processes. A failure leaves the last good state and is logged.</summary>
    internal abstract ValueTask RefreshAsync(ILogger logger, CancellationToken cancellationToken);

    private protected void SayIfLost(ImmutableDictionary<string, KnownPeer> before)
    {
        var now = Peers;
        if (!ReferenceEquals(before, now) && before.Values.Any(peer => !now.TryGetValue(peer.Name, out var known) || !known.Key.Equals(peer.Key)))
        {
            Lost?.Invoke(this, EventArgs.Empty);
        }
    }

    private protected MaterialException Full() =>
        new($"{Place} holds {MaxPeers} peers, which is its bound; forget some, or allow more with MaxPeers.");
}
