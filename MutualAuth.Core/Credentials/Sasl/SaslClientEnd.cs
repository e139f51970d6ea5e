namespace MutualAuth.Credentials;

/// <summary>How a login ended at the client.</summary>
public readonly record struct SaslClientEnd
{
    /// <summary>Makes the end of a login.</summary>
    /// <param name="objection">Why the server is not believed; null when it is.</param>
    /// <param name="serverProofs">What the server has proven beyond its certificate.</param>
    public SaslClientEnd(Rejection? objection, PeerProofs serverProofs)
    {
        Objection = objection;
        ServerProofs = serverProofs;
    }

    /// <summary>Why the server is not believed; null when it is.</summary>
    public Rejection? Objection { get; init; }

    /// <summary>What the server has proven beyond its certificate.</summary>
    public PeerProofs ServerProofs { get; init; }
}
