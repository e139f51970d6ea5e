using System.Numerics;

namespace MutualAuth.Testing.Revocation;

/// <summary>The content of a CRL (RFC 5280 §5). Change anything with <c>with</c>; nothing is checked.</summary>
/// <remarks>Immutable. The authority fills in dates, number and what it has revoked.</remarks>
public sealed record CrlSpec
{
    /// <summary>The issuer in the string form of RFC 4514; null for the authority's own subject.</summary>
    public string? Issuer { get; init; }

    /// <summary>When it was made. Default: an hour before the authority's now.</summary>
    public DateTimeOffset ThisUpdate { get; init; }

    /// <summary>When the next one comes; null leaves it out, which RFC 5280 §5.1.2.5 forbids. Default: in a week.</summary>
    public DateTimeOffset? NextUpdate { get; init; }

    /// <summary>The CRL number; null leaves it out.</summary>
    public BigInteger? Number { get; init; }

    /// <summary>The number of the full CRL that this one adds to, which makes it a delta CRL (RFC 5280 §5.2.4); null for a full one.</summary>
    public BigInteger? DeltaBase { get; init; }

    /// <summary>The entries. Default: all that the authority has revoked.</summary>
    public IReadOnlyList<RevokedCertificate> Revoked { get; init; } = [];

    /// <summary>The issuing distribution point; null leaves it out.</summary>
    public IssuingDistributionPoint? IssuingDistributionPoint { get; init; }

    /// <summary>The addresses of delta CRLs (freshest CRL, RFC 5280 §5.2.6).</summary>
    public IReadOnlyList<string> FreshestCrlUris { get; init; } = [];

    /// <summary>Authority key identifier. Default: that of the authority's key.</summary>
    public KeyIdentifier AuthorityKeyIdentifier { get; init; } = KeyIdentifier.Computed;

    /// <summary>CRL extensions of your own.</summary>
    public IReadOnlyList<CertificateExtension> Extensions { get; init; } = [];

    /// <summary>The signature algorithm; null for the usual one of the key that signs.</summary>
    public SignatureAlgorithm? SignatureAlgorithm { get; init; }

    /// <summary>A key to sign with in place of the authority's: a forgery.</summary>
    public TestKey? SigningKey { get; init; }

    /// <summary>Flips one bit of the signature.</summary>
    public bool CorruptSignature { get; init; }

    /// <summary>Rewrites the TBSCertList, in DER, before it is signed; null leaves it alone.</summary>
    public Func<byte[], byte[]>? RewriteTbs { get; init; }
}
