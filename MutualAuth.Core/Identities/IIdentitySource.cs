namespace MutualAuth;

/// <summary>Gives the identity to present now. What it returns may change; each handshake asks once and uses one answer.</summary>
/// <remarks>Implementations are safe for use from many threads, do not block and do not throw.</remarks>
public interface IIdentitySource
{
    /// <summary>The identity for the next handshake.</summary>
    Identity Current { get; }
}
