using System.Numerics;
using System.Security.Cryptography.X509Certificates;

namespace MutualAuth.Testing.Revocation;

/// <summary>One entry of a CRL (RFC 5280 §5.1.2.6).</summary>
/// <param name="SerialNumber">Whose.</param>
/// <param name="At">Since when.</param>
/// <param name="Reason">Why; <c>Unspecified</c> is left out of the entry, and <c>RemoveFromCrl</c> belongs in delta CRLs only.</param>
public sealed record RevokedCertificate(BigInteger SerialNumber, DateTimeOffset At, X509RevocationReason Reason = X509RevocationReason.Unspecified)
{
    /// <summary>The issuer of the certificate, in the string form of RFC 4514, for indirect CRLs (RFC 5280 §5.3.3); null leaves it out.</summary>
    public string? CertificateIssuer { get; init; }

    /// <summary>Entry extensions of your own.</summary>
    public IReadOnlyList<CertificateExtension> Extensions { get; init; } = [];
}
