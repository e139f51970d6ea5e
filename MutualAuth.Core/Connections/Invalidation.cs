namespace MutualAuth;

/// <summary>Why a live connection has lost its ground, and what was done about it.</summary>
/// <param name="Rejection">The typed reason. It is ours: the peer is not told.</param>
/// <param name="Action">What was done.</param>
/// <remarks>Immutable.</remarks>
public sealed record Invalidation(Rejection Rejection, InvalidationAction Action);
