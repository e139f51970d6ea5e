namespace MutualAuth.Testing.BadPeers;

/// <summary>How a side dealt with one bad peer and with its good neighbour.</summary>
/// <param name="Peer">The bad peer.</param>
/// <param name="Bad">What became of it.</param>
/// <param name="Good">What became of its good neighbour: served only when it was, before and after.</param>
/// <param name="Detail">What was seen, for a person to read.</param>
public sealed record GalleryResult(BadPeer Peer, PeerOutcome Bad, PeerOutcome Good, string Detail)
{
    /// <summary>How long the bad peer kept the other side busy, from the connection to the verdict; the longest when it was played twice.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>
    /// The processor time that the other side spent meanwhile, in the processes that <see cref="GalleryRunOptions.Processes"/> names; null when they
    /// are not known. The system counts in steps, often of 10 ms.
    /// </summary>
    public TimeSpan? ProcessorTime { get; init; }
}
