using MutualAuth.Certificates;
using MutualAuth.Names;

namespace MutualAuth.Revocation;

/// <summary>What a revocation list is made of, on its way from the reader to <see cref="RevocationList"/>.</summary>
internal sealed class CrlFields
{
    internal required ReadOnlyMemory<byte> RawData { get; init; }

    internal required ReadOnlyMemory<byte> Signed { get; init; }

    internal required SignatureScheme Scheme { get; init; }

    internal required ReadOnlyMemory<byte> Signature { get; init; }

    internal required DistinguishedName Issuer { get; init; }

    internal required DateTimeOffset ThisUpdate { get; init; }

    internal required DateTimeOffset? NextUpdate { get; init; }

    internal required SerialNumberSet Entries { get; init; }

    internal AuthorityKeyId AuthorityKeyId { get; set; }

    internal ReadOnlyMemory<byte> Number { get; set; }

    /// <summary>The number of the list to which this one adds; empty for a full list.</summary>
    internal ReadOnlyMemory<byte> DeltaBase { get; set; }

    /// <summary>Whether an entry takes a certificate off the list to which this one adds (removeFromCRL).</summary>
    internal bool HasRemovals { get; set; }

    internal IssuingScope Scope { get; set; } = IssuingScope.Whole;

    /// <summary>The first slip of form (RFC 5280 §5) that no decision rests on; null when there is none.</summary>
    internal string? FormProblem { get; set; }
}
