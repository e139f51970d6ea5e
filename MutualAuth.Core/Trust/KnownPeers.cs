using System.Globalization;
using Microsoft.Extensions.Logging;
using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Names;
using MutualAuth.Paths;
using MutualAuth.Reloading;
using MutualAuth.Telemetry;

namespace MutualAuth.Trust;

/// <summary>Trust in known keys, as in SSH: the peer's own key is the trust anchor, and no authority is consulted.</summary>
/// <remarks>
/// A peer presents a self-signed certificate. All rules for an end entity's certificate apply (validity, purpose, strength of key and
/// signature). The certificate must claim exactly one name, a DNS name, a SPIFFE ID or an e-mail address, and its key must be one of those that are
/// known for it.
/// Nothing else in such a certificate is verified. At the first meeting nothing protects against an impostor: have people compare
/// <see cref="PeerFingerprint"/>s, or enter the peers beforehand. A key is stored after the certificate stage and the asynchronous
/// validators have accepted the peer and TLS has proven that the peer holds the key, and before the peer learns that it is accepted. Safe
/// for concurrent use.
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
    /// Raised after a known peer was forgotten or its key changed: by this process, or by another one as soon as this one reads the file
    /// again.
    /// </summary>
    public event EventHandler? Replaced
    {
        add => _store.Lost += value;
        remove => _store.Lost -= value;
    }

    bool ITrustSource.NeedsAsyncSteps => true;

    /// <summary>
    /// Stores the key of a peer at the first meeting, and from then on rejects any other key for that name
    /// (<see cref="RejectionReason.PeerKeyChanged"/>). A peer that the authorization rule rejects is not stored.
    /// </summary>
    public static KnownPeers TrustOnFirstUse(KnownPeerStore store) => new(store, meetsStrangers: true);

    /// <summary>
    /// Trusts only the peers in the store; unknown peers are rejected (<see cref="RejectionReason.UnknownAuthority"/>), and none is added.
    /// </summary>
    public static KnownPeers Only(KnownPeerStore store) => new(store, meetsStrangers: false);

    bool? ITrustSource.IsKeyVerified(Certificate leaf) =>
        SelfSignedPeer.TryGetName(leaf, out var name) && _store.Current.Find(name, KeyOf(leaf)) is { VerifiedAt: not null };

    ValueTask ITrustSource.PrepareAsync(ILogger logger, CancellationToken cancellationToken) => _store.RefreshAsync(logger, cancellationToken);

    PathResult ITrustSource.FindPath(in PathSearch search)
    {
        if (SelfSignedPeer.Examine(search, out var name) is { } broken)
        {
            return PathResult.Rejected(broken);
        }

        var key = KeyOf(search.Leaf);
        var keys = _store.Current;
        if (keys.Of(name!) is [var known, ..])
        {
            return keys.Find(name!, key) is not null
                ? PathResult.Found([search.Leaf])
                : PathResult.Rejected(KeyChanged(search.Leaf, known, keys.Of(name!).Length, key));
        }

        return _meetsStrangers && !search.WasAdmitted ? PathResult.Found([search.Leaf]) : PathResult.Rejected(Unknown(search, name!, key));
    }

    async ValueTask<Rejection?> ITrustSource.AdmitAsync(Certificate leaf, DateTimeOffset at, ILogger logger, CancellationToken cancellationToken)
    {
        if (!SelfSignedPeer.TryGetName(leaf, out var name))
        {
            throw new InvalidOperationException("Only a certificate for which a path was found can be admitted.");
        }

        var key = KeyOf(leaf);
        var keys = _store.Current;
        if (keys.Of(name) is [var known, ..])
        {
            return keys.Find(name, key) is not null ? null : KeyChanged(leaf, known, keys.Of(name).Length, key);
        }

        if (!_meetsStrangers)
        {
            return Unknown(leaf, at, name, key);
        }

        try
        {
            var peer = new KnownPeer(name, key, at);
            // A disk that does not respond must not delay the handshake beyond its deadline; the peer is then rejected, and may be known
            // the next time.
            known = await _store.AddAsync(peer, cancellationToken).AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
            if (ReferenceEquals(known, peer))
            {
                ValidationLog.PeerFirstMet(logger, name, key);
            }

            return known.Key.Equals(key) ? null : KeyChanged(leaf, known, 1, key);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // Accepting a peer without storing its key would make every meeting a first meeting.
            ValidationLog.PeerNotRemembered(logger, name, exception);
            return new Rejection(
                RejectionReason.PeerNotRemembered, $"room for the key of {SafeText.Quote(name)} in {_store.Place}", exception.Message);
        }
    }

    private Rejection KeyChanged(Certificate leaf, KnownPeer known, int devices, SpkiPin key) => PathRejection.Make(
        RejectionReason.PeerKeyChanged, leaf, PathPosition.Leaf, "trust on first use",
        string.Create(CultureInfo.InvariantCulture, $"the key that {known.Name} has had since {known.FirstSeen:yyyy-MM-dd}, {Show(known.Key)}")
            + (devices > 1 ? $", or that of one of {devices - 1} more devices" : null),
        $"another one, {Show(key)}",
        $"EITHER {known.Name} HAS A NEW KEY, OR THIS PEER IS AN IMPOSTOR. Ask for its fingerprint over another channel; only if it equals the one "
            + $"shown here, remove {known.Name} from {_store.Place} and connect again; or, where this is another device of {known.Name}, add it.");

    private Rejection Unknown(in PathSearch search, string name, SpkiPin key) => Unknown(search.Leaf, search.At, name, key);

    private Rejection Unknown(Certificate leaf, DateTimeOffset at, string name, SpkiPin key) => PathRejection.Make(
        RejectionReason.UnknownAuthority,
        leaf,
        PathPosition.Leaf,
        "known peers only",
        "a peer that is known",
        $"{SafeText.Quote(name)} with the key {Show(key)}",
        $"To accept it, verify the fingerprint with its owner, and add to {_store.Place}: {new KnownPeer(name, key, at)}");

    private static string Show(SpkiPin key) => $"fingerprint {PeerFingerprint.Of(key)} ({key})";

    private static SpkiPin KeyOf(Certificate leaf) => SpkiPin.OfSubjectPublicKeyInfo(leaf.SubjectPublicKeyInfo.Span);
}
