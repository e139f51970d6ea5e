using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using MutualAuth.Names;

namespace MutualAuth.Trust;

/// <summary>A store for the keys of known peers: <see cref="KnownPeersFile"/>, or <see cref="KnownPeersInMemory"/>.</summary>
/// <remarks>
/// A name has the key that was met first, and those of further devices that were added on purpose. A key is never replaced: forget the peer first,
/// and
/// meet it again. Safe for concurrent use.
/// </remarks>
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
    /// The maximum number of keys; a further one is rejected. The bound is needed because, with trust on first use, any peer that the authorization
    /// rule accepts can add itself.
    /// </summary>
    public int MaxPeers { get; }

    /// <summary>The peers that are known now, by name, each with the key that was met first: a snapshot.</summary>
    public ImmutableDictionary<string, KnownPeer> Peers => Current.First;

    /// <summary>The keys of one peer's devices, the one that was met first before the others: a snapshot; empty when the peer is not known.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    public ImmutableArray<KnownPeer> DevicesOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Current.Of(name);
    }

    /// <summary>
    /// Adds a peer unless its name is already known. Of two concurrent first uses, also in different processes, exactly one is kept.
    /// </summary>
    /// <returns>The peer that is known under this name from now on: the given one, or the existing one, which may have another key.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="peer"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="peer"/> has a device label: <see cref="AddDeviceAsync"/> adds that.</exception>
    /// <exception cref="MaterialException">
    /// The peer cannot be kept: the store is full, or its file is damaged, missing or cannot be written.
    /// </exception>
    /// <exception cref="OperationCanceledException">
    /// <paramref name="cancellationToken"/> was cancelled while this call waited for another writer.
    /// </exception>
    public async ValueTask<KnownPeer> AddAsync(KnownPeer peer, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(peer);
        if (peer.Device is not null)
        {
            throw new ArgumentException($"Expected a peer without a device label; {nameof(AddDeviceAsync)} adds further devices.", nameof(peer));
        }

        var inForce = peer;
        await ChangeAsync(
            keys =>
            {
                inForce = keys.Of(peer.Name) is [var known, ..] ? known : peer;
                return ReferenceEquals(inForce, peer) ? WithRoom(keys).With(peer)! : keys;
            },
            cancellationToken).ConfigureAwait(false);
        return inForce;
    }

    /// <summary>
    /// Adds the key of another device of a peer that is known. A peer never adds a device by itself: call this for a person who says so.
    /// </summary>
    /// <param name="device">The key, with the name of the peer and a label that none of its other devices has.</param>
    /// <param name="cancellationToken">Cancels the wait for another writer.</param>
    /// <returns>True when it was added; false when the peer is not known, or has this key or this label already.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="device"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="device"/> has no device label.</exception>
    /// <exception cref="MaterialException">The key cannot be kept.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public ValueTask<bool> AddDeviceAsync(KnownPeer device, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(device);
        return device.Device is null
            ? throw new ArgumentException($"Expected a peer with a label in {nameof(KnownPeer.Device)}.", nameof(device))
            : ChangeAsync(
                keys => keys.Of(device.Name).IsEmpty ? keys : keys.With(device) is null ? keys : WithRoom(keys).With(device)!, cancellationToken);
    }

    /// <summary>
    /// Removes the key of one device: its live connections are no longer authorized, and those of the peer's other devices stay. With its last key
    /// the
    /// peer is forgotten.
    /// </summary>
    /// <returns>False when the peer has no such key.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> or <paramref name="key"/> is null.</exception>
    /// <exception cref="MaterialException">The change cannot be kept.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public ValueTask<bool> RemoveDeviceAsync(string name, SpkiPin key, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(key);
        return ChangeAsync(keys => keys.Find(name, key) is { } device ? keys.Without(device) : keys, cancellationToken);
    }

    /// <summary>
    /// Keeps beside a key that people have compared it over another channel, where the digits that they read are those of a key of this peer.
    /// </summary>
    /// <param name="name">The name of the peer.</param>
    /// <param name="compared">What the other person read out: the fingerprint of the peer's key, or of both keys.</param>
    /// <param name="at">When; kept to the second.</param>
    /// <param name="own">Our own key; needed where <paramref name="compared"/> is of both keys.</param>
    /// <param name="cancellationToken">Cancels the wait for another writer.</param>
    /// <returns>
    /// True when a key of the peer has these digits, and counts as verified from now on; false, and nothing is kept, when none has them: then
    /// an impostor may be at the other end.
    /// </returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> or <paramref name="compared"/> is null.</exception>
    /// <exception cref="MaterialException">The change cannot be kept.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async ValueTask<bool> VerifyAsync(
        string name, PeerFingerprint compared, DateTimeOffset at, SpkiPin? own = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(compared);
        var isSame = false;
        await ChangeAsync(
            keys =>
            {
                var known = keys.Of(name).FirstOrDefault(
                    key => compared.Equals(key.Fingerprint) || (own is not null && compared.Equals(PeerFingerprint.OfBoth(own, key.Key))));
                isSame = known is not null;
                return known is null || known.VerifiedAt is not null ? keys : keys.Replace(known, known with { VerifiedAt = at });
            },
            cancellationToken).ConfigureAwait(false);
        return isSame;
    }

    /// <summary>
    /// Forgets a peer with all its keys, so that it can be met for the first time again, with another key. Its live connections are no longer
    /// authorized.
    /// </summary>
    /// <returns>False when no peer of this name was known.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    /// <exception cref="MaterialException">The change cannot be kept.</exception>
    /// <exception cref="OperationCanceledException">
    /// <paramref name="cancellationToken"/> was cancelled while this call waited for another writer.
    /// </exception>
    public ValueTask<bool> ForgetAsync(string name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        return ChangeAsync(keys => keys.Of(name).IsEmpty ? keys : keys.Without(name), cancellationToken);
    }

    /// <summary>
    /// Raised after a known key was removed, or no longer counts as verified. Not raised for new ones, which invalidate no connection.
    /// </summary>
    internal event EventHandler? Lost;

    /// <summary>The keys that are known now.</summary>
    internal abstract KnownPeerSet Current { get; }

    /// <summary>The location of the peers, as text for a hint.</summary>
    internal abstract string Place { get; }

    /// <summary>Reads changes made by other processes. A failure leaves the last good state and is logged.</summary>
    internal abstract ValueTask RefreshAsync(ILogger logger, CancellationToken cancellationToken);

    /// <summary>Changes the keys as one step before any other change; false when the change gives back the same keys.</summary>
    private protected abstract ValueTask<bool> ChangeAsync(Func<KnownPeerSet, KnownPeerSet> change, CancellationToken cancellationToken);

    private protected void SayIfLost(KnownPeerSet before)
    {
        var now = Current;
        if (!ReferenceEquals(before, now) && before.HasLostSomethingIn(now))
        {
            Lost?.Invoke(this, EventArgs.Empty);
        }
    }

    private KnownPeerSet WithRoom(KnownPeerSet keys) => keys.Count < MaxPeers
        ? keys
        : throw new MaterialException(
            $"{Place} holds {MaxPeers} peers, which is its bound; forget some, or allow more with MaxPeers.");
}
