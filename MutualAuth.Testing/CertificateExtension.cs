namespace MutualAuth.Testing;

/// <summary>An extension of your own: any object identifier, any value, well formed or not.</summary>
/// <param name="Oid">The object identifier in dotted form.</param>
/// <param name="Critical">Whether a reader that does not know it must refuse the certificate (RFC 5280 §4.2).</param>
/// <param name="Value">The content of the OCTET STRING; by the standard a DER value, here any octets.</param>
public sealed record CertificateExtension(string Oid, bool Critical, ReadOnlyMemory<byte> Value)
{
    /// <summary>TLS feature <c>status_request</c> (RFC 7633), known as must-staple.</summary>
    public static CertificateExtension MustStaple { get; } = new("1.3.6.1.5.5.7.1.24", false, new byte[] { 0x30, 0x03, 0x02, 0x01, 0x05 });

    /// <summary>States that a responder's certificate need not itself be checked for revocation (RFC 6960 §4.2.2.2.1).</summary>
    public static CertificateExtension OcspNoCheck { get; } = new("1.3.6.1.5.5.7.48.1.5", false, new byte[] { 0x05, 0x00 });

    /// <summary>A critical extension that no software knows, so that every correct implementation rejects the certificate.</summary>
    public static CertificateExtension UnknownCritical { get; } = new("1.3.6.1.4.1.55555.1", true, new byte[] { 0x05, 0x00 });
}
