using System.Numerics;
using System.Security.Cryptography.X509Certificates;

namespace MutualAuth.Testing.Revocation;

/// <summary>One SingleResponse of an OCSP response (RFC 6960 §4.2.1).</summary>
/// <param name="SerialNumber">The serial number of the certificate.</param>
/// <param name="Status">The status.</param>
public sealed record OcspAnswer(BigInteger SerialNumber, OcspStatus Status)
{
    /// <summary>Since when it is revoked.</summary>
    public DateTimeOffset RevokedAt { get; init; }

    /// <summary>Why it is revoked; <c>Unspecified</c> is left out.</summary>
    public X509RevocationReason Reason { get; init; }

    /// <summary>When the status was known to be right. Default: an hour before the authority's now.</summary>
    public DateTimeOffset ThisUpdate { get; init; }

    /// <summary>Until when newer information will come; null leaves it out. Default: a day after the authority's now.</summary>
    public DateTimeOffset? NextUpdate { get; init; }

    /// <summary>The CertID in DER, as the request had it; null makes one with SHA-1 for the authority that answers.</summary>
    public ReadOnlyMemory<byte>? RawCertId { get; init; }

    /// <summary>Extensions of this answer.</summary>
    public IReadOnlyList<CertificateExtension> Extensions { get; init; } = [];
}
