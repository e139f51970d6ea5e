namespace MutualAuth.Testing.BadPeers;

/// <summary>How a side dealt with one bad peer and with its good neighbour.</summary>
/// <param name="Peer">The bad peer.</param>
/// <param name="Bad">What became of it.</param>
/// <param name="Good">What became of its good neighbour.</param>
/// <param name="Detail">What was seen, for a person to read.</param>
public sealed record GalleryResult(BadPeer Peer, PeerOutcome Bad, PeerOutcome Good, string Detail);
