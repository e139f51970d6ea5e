namespace MutualAuth;

/// <summary>Returns the current identity. It may return another one later; each handshake calls it once and uses that identity throughout.</summary>
/// <remarks>Implementations are safe for use from many threads, do not block and do not throw.</remarks>
public interface IIdentitySource
{
    /// <summary>The identity for the next handshake.</summary>
    Identity Current { get; }
}
