namespace MutualAuth.Trust.Revocation;

/// <summary>The object identifiers of revocation lists and OCSP, as the contents octets of their DER encoding.</summary>
internal static class CrlOids
{
    // RFC 5280 §5.2.
    internal static ReadOnlySpan<byte> CrlNumber => [0x55, 0x1d, 0x14];
    internal static ReadOnlySpan<byte> DeltaCrlIndicator => [0x55, 0x1d, 0x1b];
    internal static ReadOnlySpan<byte> IssuingDistributionPoint => [0x55, 0x1d, 0x1c];

    // RFC 5280 §5.3.
    internal static ReadOnlySpan<byte> ReasonCode => [0x55, 0x1d, 0x15];
    internal static ReadOnlySpan<byte> InvalidityDate => [0x55, 0x1d, 0x18];
    internal static ReadOnlySpan<byte> CertificateIssuer => [0x55, 0x1d, 0x1d];
}
