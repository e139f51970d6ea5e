using System.Collections.Immutable;

namespace MutualAuth.Platforms;

/// <summary>What the ClientHello of this process offers, read from its octets (RFC 8446 §4.1.2).</summary>
/// <remarks>Immutable and safe to share.</remarks>
public sealed class ClientCapabilities : TlsCapabilities
{
    internal ClientCapabilities()
    {
    }

    /// <inheritdoc/>
    public override PeerRole Role => PeerRole.Client;

    /// <summary>The groups for which it sends a key at once (RFC 8446 §4.2.8).</summary>
    public ImmutableArray<KeyExchangeGroup> KeyShares { get; internal init; } = [];

    /// <summary>Whether it takes tickets of TLS 1.2, or offers to resume a session. This library asks the platform for neither.</summary>
    public bool TakesTickets { get; internal init; }

    /// <summary>The modes in which it would take up a session of TLS 1.3 (RFC 8446 §4.2.9): 0 without a key exchange, 1 with one.</summary>
    public ImmutableArray<int> PskModes { get; internal init; } = [];

    /// <summary>
    /// The application protocols that the platform adds of its own accord; expected to be none. Those of the options are not in here.
    /// </summary>
    public ImmutableArray<string> ApplicationProtocols { get; internal init; } = [];
}
