using System.Globalization;
using Microsoft.Extensions.Logging;
using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Names;
using MutualAuth.Paths;
using MutualAuth.Reloading;
using MutualAuth.Telemetry;

namespace MutualAuth.Trust;

/// <summary>Trust in keys that are known, as SSH has it: the peer's own key is the trust anchor, and no authority is asked.</summary>
/// <remarks>
/// A peer presents a certificate that its own key has signed. All rules for an end entity's certificate hold (validity, purpose, strength
/// of key and signature), it must claim exactly one name, a DNS name or a SPIFFE ID, and for that name the same key must be known. Nothing
/// else in such a certificate is verified by anybody. At the first meeting nothing stands between us and an impostor: have people compare
/// <see cref="PeerFingerprint"/>s, or enter the peers beforehand. A key is kept after the certificate stage and the asynchronous validators
/// have accepted the peer and TLS has shown that it holds the key, and before it is told so. Safe for concurrent use.
/// </remarks>
public sealed class KnownPeers : ITrustSource, IReloadable
{
    private readonly KnownPeerStore _store;
    private readonly bool _meetsStrangers;

    private KnownPeers(KnownPeerStore store, bool meetsStrangers)
    {
        ArgumentNullException.ThrowIfNull(store);
        _store = store;
        _meetsStrangers = meetsStrangers;
    }

    /// <summary>
    /// Raised after a known peer was removed or its key replaced: by this process, or by another one as soon as this one looks at the file again.
    /// </summary>
    public event EventHandler? Replaced
    {
        add => _store.Lost += value;
        remove => _store.Lost -= value;
    }

    /// <summary>
    /// Keeps the key of a peer at the first meeting, and rejects another key for that name ever after
    /// (<see cref="RejectionReason.PeerKeyChanged"/>). Peers that the authorization rule rejects are not stored.
    /// </summary>
    public static KnownPeers TrustOnFirstUse(KnownPeerStore store) => new(store, meetsStrangers: true);

    /// <summary>
    /// Trusts only the peers of the store; unknown peers are rejected (<see cref="RejectionReason.UnknownAuthority"/>), and none is added.
    /// </summary>
    public static KnownPeers Only(KnownPeerStore store) => new(store, meetsStrangers: false);

    ValueTask ITrustSource.PrepareAsync(ILogger logger, CancellationToken cancellationToken) => _store.RefreshAsync(logger, cancellationToken);

    PathResult ITrustSource.FindPath(in PathSearch search)
    {
        if (SelfSignedPeer.Examine(search, out var name) is { } broken)
        {
            return PathResult.Rejected(broken);
        }

        var key = KeyOf(search.Leaf);
        if (_store.Peers.TryGetValue(name!, out var known))
        {
            return known.Key.Equals(key) ? PathResult.Found([search.Leaf]) : PathResult.Rejected(KeyChanged(search.Leaf, known, key));
        }

        return _meetsStrangers && !search.WasAdmitted ? PathResult.Found([search.Leaf]) : PathResult.Rejected(Unknown(search, name!, key));
    }

    async ValueTask<Rejection?> ITrustSource.AdmitAsync(Certificate leaf, DateTimeOffset at, ILogger logger, CancellationToken cancellationToken)
    {
        if (!SelfSignedPeer.TryGetName(leaf, out var name))
        {
            throw new InvalidOperationException("Only a certificate to which a path was found can be admitted.");
        }

        var key = KeyOf(leaf);
        if (_store.Peers.TryGetValue(name, out var known))
        {
            return known.Key.Equals(key) ? null : KeyChanged(leaf, known, key);
        }

        if (!_meetsStrangers)
        {
            return Unknown(leaf, at, name, key);
        }

        try
        {
            var peer = new KnownPeer(name, key, at);
            // A disk that does not answer must not hold the handshake's deadline up; the peer is rejected then, and may be known the next time.
            known = await _store.AddAsync(peer, cancellationToken).AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
            if (ReferenceEquals(known, peer))
            {
                ValidationLog.PeerFirstMet(logger, name, key);
            }

            return known.Key.Equals(key) ? null : KeyChanged(leaf, known, key);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // Accepting a peer without keeping its key would make every meeting a first one.
            ValidationLog.PeerNotRemembered(logger, name, exception);
            return new Rejection(RejectionReason.PeerNotRemembered, $"room for the key of {SafeText.Quote(name)} in {_store.Place}", exception.Message);
        }
    }

    private Rejection KeyChanged(Certificate leaf, KnownPeer known, SpkiPin key) => PathRejection.Make(
        RejectionReason.PeerKeyChanged, leaf, PathPosition.Leaf, "trust on first use",
        string.Create(CultureInfo.InvariantCulture, $"the key that {known.Name} has had since {known.FirstSeen:yyyy-MM-dd}, {Show(known.Key)}"),
        $"another one, {Show(key)}",
        $"EITHER {known.Name} HAS A NEW KEY, OR SOMEBODY STANDS IN ITS PLACE. Ask it over another channel to read its fingerprint out; only if that is the one it shows here, remove {known.Name} from {_store.Place} and connect again.");

    private Rejection Unknown(in PathSearch search, string name, SpkiPin key) => Unknown(search.Leaf, search.At, name, key);

    private Rejection Unknown(Certificate leaf, DateTimeOffset at, string name, SpkiPin key) => PathRejection.Make(
        RejectionReason.UnknownAuthority, leaf, PathPosition.Leaf, "known peers only", "a peer that is known", $"{SafeText.Quote(name)} with the key {Show(key)}",
        $"If it may come in, compare the fingerprint with its owner's and add to {_store.Place}: {new KnownPeer(name, key, at)}");

    private static string Show(SpkiPin key) => $"fingerprint {PeerFingerprint.Of(key)} ({key})";

    private static SpkiPin KeyOf(Certificate leaf) => SpkiPin.OfSubjectPublicKeyInfo(leaf.SubjectPublicKeyInfo.Span);
}
