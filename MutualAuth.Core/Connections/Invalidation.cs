namespace MutualAuth;

/// <summary>The reason why a live connection is no longer valid, and the action that was taken.</summary>
/// <param name="Rejection">The typed reason. It is not sent to the peer.</param>
/// <param name="Action">The action that was taken.</param>
/// <remarks>Immutable.</remarks>
public sealed record Invalidation(Rejection Rejection, InvalidationAction Action);
