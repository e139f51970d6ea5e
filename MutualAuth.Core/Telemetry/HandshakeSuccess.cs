namespace MutualAuth.Telemetry;

/// <summary>What is recorded of a handshake that succeeded.</summary>
internal readonly record struct HandshakeSuccess
{
    internal required string Peer { get; init; }

    /// <summary>The user's name as one safe token; null without a login.</summary>
    internal required string? User { get; init; }

    internal required string Proofs { get; init; }

    /// <summary>The serial number of the peer's certificate; null when it showed none.</summary>
    internal required string? SerialNumber { get; init; }

    /// <summary>SHA-256 of the peer's certificate; null when it showed none.</summary>
    internal required string? Fingerprint { get; init; }

    /// <summary>The certificate policies that are valid for the peer's path, the first eight; null for none.</summary>
    internal required string? Policies { get; init; }

    internal required string TlsVersion { get; init; }

    internal required string CipherSuite { get; init; }

    /// <summary>The name of the group by which keys were exchanged; null for none.</summary>
    internal required string? KeyExchangeGroup { get; init; }

    internal required string? ApplicationProtocol { get; init; }

    internal required bool IsConfirmed { get; init; }
}
