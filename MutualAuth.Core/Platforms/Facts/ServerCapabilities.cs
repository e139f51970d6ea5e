using System.Collections.Immutable;

namespace MutualAuth.Platforms;

/// <summary>What a server of this process answers to, found out by hellos that it was asked in memory.</summary>
/// <remarks>
/// It is the platform that was asked. Servers of this library refuse more by themselves: key exchanges in finite fields, and what
/// <see cref="KeyExchangePolicy"/> does not allow. Immutable and safe to share.
/// </remarks>
public sealed class ServerCapabilities : TlsCapabilities
{
    internal ServerCapabilities()
    {
    }

    /// <inheritdoc/>
    public override PeerRole Role => PeerRole.Server;

    /// <summary>
    /// The signatures that it would make itself, with keys on P-256, P-384 and P-521, of RSA and, where the platform has them, of ML-DSA.
    /// </summary>
    public ImmutableArray<TlsSignatureScheme> OwnSignatureSchemes { get; internal init; } = [];

    /// <summary>
    /// Whether the platform gives sessions that could be resumed: <see cref="PlatformAnswer.No"/> where the servers of this process share one TLS
    /// context for each identity. Elsewhere the library switches them off for each connection.
    /// </summary>
    public PlatformAnswer GivesSessions { get; internal init; } = PlatformAnswer.Unknown;
}
