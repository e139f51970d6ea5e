namespace MutualAuth.Testing.BadPeers;

/// <summary>Peers that must be rejected, each with a good neighbour that must be accepted: what a mutual TLS implementation is tested with.</summary>
/// <remarks>The class is split by chapter, one file each. </remarks>
public static partial class Gallery
{
    private static readonly Lazy<IReadOnlyList<BadPeer>> s_all =
        new(
            () => [
                .. Dates, .. Authorities, .. Signatures, .. Usages, .. ServerNames, .. ClientNames, .. NameConstraintsChapter, .. Encodings,
                .. Excess, .. Revocations,
            ]);

    /// <summary>Every one of them, chapter by chapter.</summary>
    public static IReadOnlyList<BadPeer> All => s_all.Value;

    /// <summary>Those that can play the part of <paramref name="role"/>.</summary>
    public static IEnumerable<BadPeer> As(PeerRole role) => All.Where(peer => peer.Plays(role));
}
