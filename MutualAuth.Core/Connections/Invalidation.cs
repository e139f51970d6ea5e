namespace MutualAuth;

/// <summary>The reason why a live connection is no longer valid, and the action that was taken.</summary>
/// <remarks>Immutable.</remarks>
public sealed record Invalidation
{
    /// <summary>Makes an invalidation.</summary>
    /// <param name="rejection">The typed reason. It is ours: the peer is not told.</param>
    /// <param name="action">What was done.</param>
    public Invalidation(Rejection rejection, InvalidationAction action)
    {
        Rejection = rejection;
        Action = action;
    }

    /// <summary>The typed reason. It is ours: the peer is not told.</summary>
    public Rejection Rejection { get; init; }

    /// <summary>What was done.</summary>
    public InvalidationAction Action { get; init; }
}
