namespace MutualAuth.Testing.BadPeers;

/// <summary>What became of a peer.</summary>
public enum PeerOutcome
{
    /// <summary>It was served.</summary>
    LetIn = 1,

    /// <summary>The peer was rejected.</summary>
    Refused = 2,

    /// <summary>Neither came in time.</summary>
    Unclear = 3,
}
