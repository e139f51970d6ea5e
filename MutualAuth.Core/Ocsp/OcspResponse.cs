using System.Collections.Immutable;
using MutualAuth.Certificates;
using MutualAuth.Names;
using MutualAuth.Revocation;

namespace MutualAuth.Ocsp;

/// <summary>A basic OCSP response (RFC 6960 §4.2.1) as it was read. Nothing of it is verified yet.</summary>
internal sealed class OcspResponse
{
    internal required ReadOnlyMemory<byte> Signed { get; init; }

    internal required SignatureScheme Scheme { get; init; }

    internal required ReadOnlyMemory<byte> Signature { get; init; }

    /// <summary>The responder's name; null when it is named by its key.</summary>
    internal required DistinguishedName? ResponderName { get; init; }

    /// <summary>The SHA-1 of the responder's key; empty when it is named by its name.</summary>
    internal required ReadOnlyMemory<byte> ResponderKeyId { get; init; }

    internal required DateTimeOffset ProducedAt { get; init; }

    internal required ImmutableArray<OcspSingle> Answers { get; init; }

    /// <summary>The nonce; empty when there is none.</summary>
    internal required ReadOnlyMemory<byte> Nonce { get; init; }

    /// <summary>What must not be passed over in it, in words; null when there is nothing.</summary>
    internal required string? Flaw { get; init; }

    /// <summary>The certificates that were sent along.</summary>
    internal required ImmutableArray<Certificate> Certificates { get; init; }
}

/// <summary>What a response says of one certificate.</summary>
/// <param name="CertId">Of which.</param>
/// <param name="Status">What.</param>
/// <param name="Revocation">Since when and why, when it is revoked.</param>
/// <param name="ThisUpdate">When that was so.</param>
/// <param name="NextUpdate">Until when it may be used.</param>
/// <param name="Flaw">Why it cannot be relied on to say that a certificate is good, in words; null when it can.</param>
internal readonly record struct OcspSingle(
    ReadOnlyMemory<byte> CertId, OcspStatus Status, RevokedEntry Revocation, DateTimeOffset ThisUpdate, DateTimeOffset? NextUpdate, string? Flaw);

/// <summary>What a responder says of a certificate (RFC 6960 §2.2).</summary>
internal enum OcspStatus
{
    Good = 1,
    Revoked = 2,
    Unknown = 3,
}
