using System.Collections.Immutable;
using MutualAuth.Names;

namespace MutualAuth.Trust;

/// <summary>The keys of the known peers, by name: usually one for each, or one for each of a peer's devices. Immutable.</summary>
internal sealed class KnownPeerSet
{
    private readonly ImmutableDictionary<string, ImmutableArray<KnownPeer>> _keys;
    private ImmutableDictionary<string, KnownPeer>? _first;

    private KnownPeerSet(ImmutableDictionary<string, ImmutableArray<KnownPeer>> keys, int count) => (_keys, Count) = (keys, count);

    internal static KnownPeerSet Empty { get; } = new(ImmutableDictionary.Create<string, ImmutableArray<KnownPeer>>(StringComparer.Ordinal), 0);

    /// <summary>The number of keys.</summary>
    internal int Count { get; }

    /// <summary>The key of each peer that came first.</summary>
    internal ImmutableDictionary<string, KnownPeer> First =>
        _first ??= _keys.ToImmutableDictionary(peer => peer.Key, peer => peer.Value[0], StringComparer.Ordinal);

    internal IEnumerable<KnownPeer> All => _keys.Values.SelectMany(keys => keys);

    /// <summary>The keys of one peer; empty when it is not known.</summary>
    internal ImmutableArray<KnownPeer> Of(string name) => _keys.TryGetValue(name, out var keys) ? keys : [];

    internal KnownPeer? Find(string name, SpkiPin key) => Of(name).FirstOrDefault(known => known.Key.Equals(key));

    /// <summary>The set with one key more; null when the peer is known, unless this is another device with a label and a key of its own.</summary>
    internal KnownPeerSet? With(KnownPeer peer)
    {
        var keys = Of(peer.Name);
        return !keys.IsEmpty && (peer.Device is null || keys.Any(known => known.Device == peer.Device || known.Key.Equals(peer.Key)))
            ? null
            : new KnownPeerSet(_keys.SetItem(peer.Name, keys.Add(peer)), Count + 1);
    }

    internal KnownPeerSet Without(KnownPeer peer)
    {
        var keys = Of(peer.Name).Remove(peer);
        return new KnownPeerSet(keys.IsEmpty ? _keys.Remove(peer.Name) : _keys.SetItem(peer.Name, keys), Count - 1);
    }

    internal KnownPeerSet Without(string name) => new(_keys.Remove(name), Count - Of(name).Length);

    internal KnownPeerSet Replace(KnownPeer before, KnownPeer after) =>
        new(_keys.SetItem(before.Name, Of(before.Name).Replace(before, after)), Count);

    /// <summary>Whether a later set lacks a key of this one, or that people had compared it.</summary>
    internal bool HasLostSomethingIn(KnownPeerSet later) =>
        All.Any(known => later.Find(known.Name, known.Key) is not { } same || (known.VerifiedAt is not null && same.VerifiedAt is null));
}
