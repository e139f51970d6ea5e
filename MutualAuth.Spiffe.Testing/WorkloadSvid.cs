namespace MutualAuth.Spiffe.Testing;

/// <summary>One X.509-SVID as an agent gives it to a workload (SPIFFE Workload API §5.2.1), in the octets of the message.</summary>
/// <remarks>
/// Immutable. <see cref="TestTrustDomain.Issue"/> makes a right one; <c>with</c> makes it wrong in one fact. Nothing is checked: what is malformed
/// is sent as it is.
/// </remarks>
public sealed record WorkloadSvid
{
    /// <summary>The SPIFFE ID that the message states, whatever the certificate says.</summary>
    public required string SpiffeId { get; init; }

    /// <summary>Certificates in DER, one behind the other: the workload's own first, then its intermediates.</summary>
    public required ReadOnlyMemory<byte> Certificates { get; init; }

    /// <summary>The private key of the first certificate: PKCS#8 in DER, not encrypted.</summary>
    public required ReadOnlyMemory<byte> PrivateKey { get; init; }

    /// <summary>The authorities of the trust domain: certificates in DER, one behind the other.</summary>
    public required ReadOnlyMemory<byte> Bundle { get; init; }

    /// <summary>What the operator means this identity for. Default: empty, which says nothing.</summary>
    public string Hint { get; init; } = string.Empty;

    /// <summary>The SPIFFE ID and the hint; never the key.</summary>
    public override string ToString() => Hint.Length == 0 ? SpiffeId : $"{SpiffeId} ({Hint})";
}
