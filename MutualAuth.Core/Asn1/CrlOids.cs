namespace MutualAuth.Asn1;

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

    // RFC 6960 §4.2.1, §4.4.1.
    internal static ReadOnlySpan<byte> OcspBasic => [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];
    internal static ReadOnlySpan<byte> OcspNonce => [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02];

    // RFC 3279 §2.1. For names of certificates in OCSP only: no signature with it is ever accepted.
    internal static ReadOnlySpan<byte> Sha1 => [0x2b, 0x0e, 0x03, 0x02, 0x1a];
}
