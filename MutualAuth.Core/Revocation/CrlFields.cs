using MutualAuth.Certificates;
using MutualAuth.Names;

namespace MutualAuth.Revocation;

/// <summary>The fields of a revocation list, passed from the reader to <see cref="RevocationList"/>.</summary>
internal sealed class CrlFields
{
    internal required ReadOnlyMemory<byte> RawData { get; init; }

    internal required ReadOnlyMemory<byte> Signed { get; init; }

    internal required SignatureScheme Scheme { get; init; }

    internal required ReadOnlyMemory<byte> Signature { get; init; }

    /// <summary>The hash of <see cref="Signed"/> that the signature is made over; null where the octets themselves are signed.</summary>
    internal required byte[]? SignedDigest { get; init; }

    /// <summary>The SHA-256 of <see cref="RawData"/>; null where it has not been computed yet.</summary>
    internal byte[]? Digest { get; init; }

    internal required DistinguishedName Issuer { get; init; }

    internal required DateTimeOffset ThisUpdate { get; init; }

    internal required DateTimeOffset? NextUpdate { get; init; }

    internal required SerialNumberSet Entries { get; init; }

    internal AuthorityKeyId AuthorityKeyId { get; set; }

    internal ReadOnlyMemory<byte> Number { get; set; }

    /// <summary>The number of the base list of a delta list; empty for a full list.</summary>
    internal ReadOnlyMemory<byte> DeltaBase { get; set; }

    /// <summary>Whether an entry removes a certificate from the base list (removeFromCRL).</summary>
    internal bool HasRemovals { get; set; }

    internal IssuingScope Scope { get; set; } = IssuingScope.Whole;

    /// <summary>The first deviation of form (RFC 5280 §5) that affects no decision; null when there is none.</summary>
    internal string? FormProblem { get; set; }
}
