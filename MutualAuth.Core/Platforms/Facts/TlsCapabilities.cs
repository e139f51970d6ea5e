using System.Collections.Immutable;
using System.Net.Security;

namespace MutualAuth.Platforms;

/// <summary>What one role of this process puts on the wire, or answers, as the platform and its configuration have it.</summary>
/// <remarks>Immutable and safe to share.</remarks>
public abstract class TlsCapabilities
{
    private protected TlsCapabilities()
    {
    }

    /// <summary>The role.</summary>
    public abstract PeerRole Role { get; }

    /// <summary>Why nothing, or not everything, could be read; null when all was. What could not be read meets no requirement.</summary>
    public string? Problem { get; internal init; }

    /// <summary>The TLS versions as on the wire: 0x0303 is TLS 1.2, 0x0304 is TLS 1.3.</summary>
    public ImmutableArray<int> Versions { get; internal init; } = [];

    /// <summary>The cipher suites (RFC 8446 §B.4), the favourite first; signals that stand among them are left out.</summary>
    public ImmutableArray<TlsCipherSuite> CipherSuites { get; internal init; } = [];

    /// <summary>The groups for key exchange, the favourite first.</summary>
    public ImmutableArray<KeyExchangeGroup> KeyExchangeGroups { get; internal init; } = [];

    /// <summary>The signatures that the peer is told it may use, the favourite first.</summary>
    public ImmutableArray<TlsSignatureScheme> SignatureSchemes { get; internal init; } = [];
}
