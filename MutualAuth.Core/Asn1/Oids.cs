using System.Formats.Asn1;
using System.Globalization;
using System.Text;

namespace MutualAuth.Asn1;

/// <summary>The object identifiers that affect a decision, as the contents octets of their DER encoding.</summary>
internal static class Oids
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

    // RFC 5280 §4.2.
    internal static ReadOnlySpan<byte> SubjectKeyIdentifier => [0x55, 0x1d, 0x0e];
    internal static ReadOnlySpan<byte> KeyUsage => [0x55, 0x1d, 0x0f];
    internal static ReadOnlySpan<byte> SubjectAltName => [0x55, 0x1d, 0x11];
    internal static ReadOnlySpan<byte> IssuerAltName => [0x55, 0x1d, 0x12];
    internal static ReadOnlySpan<byte> BasicConstraints => [0x55, 0x1d, 0x13];
    internal static ReadOnlySpan<byte> NameConstraints => [0x55, 0x1d, 0x1e];
    internal static ReadOnlySpan<byte> CrlDistributionPoints => [0x55, 0x1d, 0x1f];
    internal static ReadOnlySpan<byte> CertificatePolicies => [0x55, 0x1d, 0x20];
    internal static ReadOnlySpan<byte> AnyPolicy => [0x55, 0x1d, 0x20, 0x00];
    internal static ReadOnlySpan<byte> PolicyMappings => [0x55, 0x1d, 0x21];
    internal static ReadOnlySpan<byte> AuthorityKeyIdentifier => [0x55, 0x1d, 0x23];
    internal static ReadOnlySpan<byte> PolicyConstraints => [0x55, 0x1d, 0x24];
    internal static ReadOnlySpan<byte> ExtendedKeyUsage => [0x55, 0x1d, 0x25];
    internal static ReadOnlySpan<byte> FreshestCrl => [0x55, 0x1d, 0x2e];
    internal static ReadOnlySpan<byte> NoRevocationAvailable => [0x55, 0x1d, 0x38]; // RFC 9608 §2
    internal static ReadOnlySpan<byte> InhibitAnyPolicy => [0x55, 0x1d, 0x36];
    internal static ReadOnlySpan<byte> AuthorityInformationAccess => [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01];
    internal static ReadOnlySpan<byte> SubjectInformationAccess => [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x0b];

    // RFC 5280 §4.2.2.1: a responder, among the ways of access.
    internal static ReadOnlySpan<byte> OcspAccess => [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01];

    // RFC 6960 §4.2.2.2.1.
    internal static ReadOnlySpan<byte> OcspNoCheck => [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x05];

    // RFC 5280 §4.2.1.12.
    internal static ReadOnlySpan<byte> AnyExtendedKeyUsage => [0x55, 0x1d, 0x25, 0x00];
    internal static ReadOnlySpan<byte> ServerAuth => [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
    internal static ReadOnlySpan<byte> OcspSigning => [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x09];
    internal static ReadOnlySpan<byte> ClientAuth => [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];

    // Keys: RFC 3279, 4055, 5480, 8410, 9881. Those of ML-DSA name signatures, too.
    internal static ReadOnlySpan<byte> RsaEncryption => [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    internal static ReadOnlySpan<byte> RsaPss => [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
    internal static ReadOnlySpan<byte> EcPublicKey => [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    internal static ReadOnlySpan<byte> P256 => [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    internal static ReadOnlySpan<byte> P384 => [0x2b, 0x81, 0x04, 0x00, 0x22];
    internal static ReadOnlySpan<byte> P521 => [0x2b, 0x81, 0x04, 0x00, 0x23];
    internal static ReadOnlySpan<byte> MLDsa44 => [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x11];
    internal static ReadOnlySpan<byte> MLDsa65 => [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x12];
    internal static ReadOnlySpan<byte> MLDsa87 => [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x13];
    internal static ReadOnlySpan<byte> Ed25519 => [0x2b, 0x65, 0x70];
    internal static ReadOnlySpan<byte> Ed448 => [0x2b, 0x65, 0x71];

    // Signatures: RFC 3279, 4055, 5758.
    internal static ReadOnlySpan<byte> RsaSha256 => [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
    internal static ReadOnlySpan<byte> RsaSha384 => [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c];
    internal static ReadOnlySpan<byte> RsaSha512 => [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d];
    internal static ReadOnlySpan<byte> EcdsaSha256 => [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
    internal static ReadOnlySpan<byte> EcdsaSha384 => [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
    internal static ReadOnlySpan<byte> EcdsaSha512 => [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04];
    internal static ReadOnlySpan<byte> Mgf1 => [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08];
    internal static ReadOnlySpan<byte> Sha256 => [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
    internal static ReadOnlySpan<byte> Sha384 => [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02];
    internal static ReadOnlySpan<byte> Sha512 => [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03];

    // Microsoft's userPrincipalName, the type of an otherName.
    internal static ReadOnlySpan<byte> UserPrincipalName => [0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x14, 0x02, 0x03];

    // Other types of an otherName: RFC 4108 §5 (as IEEE 802.1AR has it for devices), RFC 4043 §2.
    internal static ReadOnlySpan<byte> HardwareModuleName => [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x08, 0x04];
    internal static ReadOnlySpan<byte> PermanentIdentifier => [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x08, 0x03];

    // RFC 4985 §2, RFC 9598 §3.
    internal static ReadOnlySpan<byte> ServiceName => [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x08, 0x07];
    internal static ReadOnlySpan<byte> SmtpUtf8Mailbox => [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x08, 0x09];

    // RFC 3739 §3.2.6.
    internal static ReadOnlySpan<byte> QcStatements => [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x03];

    // Attribute types of names: X.520 and RFC 5280 appendix A.
    internal static ReadOnlySpan<byte> CommonName => [0x55, 0x04, 0x03];
    internal static ReadOnlySpan<byte> OrganizationIdentifier => [0x55, 0x04, 0x61];
    internal static ReadOnlySpan<byte> EmailAddress => [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01];

    /// <summary>The dotted-decimal form of an identifier's contents octets; in hex if it is too long to be a real one. Never throws.</summary>
    /// <remarks>Parsed here, because the framework throws for identifiers beyond its own limits, and the peer chooses them.</remarks>
    internal static string ToDotted(ReadOnlySpan<byte> content)
    {
        const int MaxOctets = 127;
        const int MaxArcs = 64;
        if (content.Length is 0 or > MaxOctets)
        {
            return Convert.ToHexString(content);
        }

        var text = new StringBuilder(content.Length * 3);
        var arc = UInt128.Zero;
        var arcs = 0;
        foreach (var octet in content)
        {
            if (arc > UInt128.MaxValue >> 7)
            {
                return Convert.ToHexString(content);
            }

            arc = (arc << 7) | (byte)(octet & 0x7f);
            if (octet >= 0x80)
            {
                continue;
            }

            if (arcs == 0)
            {
                // X.690 §8.19.4: the first two share one number.
                var first = arc < 40 ? 0u : arc < 80 ? 1u : 2u;
                text.Append(first);
                arc -= first * 40;
                arcs++;
            }

            text.Append(CultureInfo.InvariantCulture, $".{arc}");
            arc = UInt128.Zero;
            arcs++;
        }

        return content[^1] < 0x80 && arcs <= MaxArcs ? text.ToString() : Convert.ToHexString(content);
    }

    /// <summary>The name of an extension in RFC 5280; the dotted form for any other.</summary>
    internal static string NameOfExtension(ReadOnlySpan<byte> id) =>
        id.SequenceEqual(SubjectKeyIdentifier) ? "subjectKeyIdentifier"
        : id.SequenceEqual(KeyUsage) ? "keyUsage"
        : id.SequenceEqual(SubjectAltName) ? "subjectAltName"
        : id.SequenceEqual(IssuerAltName) ? "issuerAltName"
        : id.SequenceEqual(BasicConstraints) ? "basicConstraints"
        : id.SequenceEqual(NameConstraints) ? "nameConstraints"
        : id.SequenceEqual(CrlDistributionPoints) ? "cRLDistributionPoints"
        : id.SequenceEqual(CertificatePolicies) ? "certificatePolicies"
        : id.SequenceEqual(PolicyMappings) ? "policyMappings"
        : id.SequenceEqual(AuthorityKeyIdentifier) ? "authorityKeyIdentifier"
        : id.SequenceEqual(PolicyConstraints) ? "policyConstraints"
        : id.SequenceEqual(ExtendedKeyUsage) ? "extKeyUsage"
        : id.SequenceEqual(FreshestCrl) ? "freshestCRL"
        : id.SequenceEqual(InhibitAnyPolicy) ? "inhibitAnyPolicy"
        : id.SequenceEqual(NoRevocationAvailable) ? "noRevAvail"
        : id.SequenceEqual(AuthorityInformationAccess) ? "authorityInfoAccess"
        : id.SequenceEqual(SubjectInformationAccess) ? "subjectInfoAccess"
        : id.SequenceEqual(QcStatements) ? "qcStatements"
        : ToDotted(id);

    /// <summary>The name of a purpose (RFC 5280 §4.2.1.12); the dotted form for any other.</summary>
    internal static string NameOfPurpose(ReadOnlySpan<byte> id) =>
        id.SequenceEqual(ServerAuth) ? "serverAuth"
        : id.SequenceEqual(ClientAuth) ? "clientAuth"
        : id.SequenceEqual(OcspSigning) ? "OCSPSigning"
        : id.SequenceEqual(AnyExtendedKeyUsage) ? "anyExtendedKeyUsage"
        : ToDotted(id);

    /// <summary>The name of an algorithm or a curve of keys that this library does not support; the dotted form for any other.</summary>
    internal static string NameOfKey(ReadOnlySpan<byte> id) => ToDotted(id) switch
    {
        "1.3.101.110" => "X25519",
        "1.3.101.111" => "X448",
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        "1.2.840.113549.1.1.10" => "RSASSA-PSS",
        "1.2.840.10040.4.1" => "DSA",
        "2.16.840.1.101.3.4.3.17" => "ML-DSA-44",
        "2.16.840.1.101.3.4.3.18" => "ML-DSA-65",
        "2.16.840.1.101.3.4.3.19" => "ML-DSA-87",
        "2.16.840.1.101.3.4.3.32" => "HashML-DSA-44",
        "2.16.840.1.101.3.4.3.33" => "HashML-DSA-65",
        "2.16.840.1.101.3.4.3.34" => "HashML-DSA-87",
        "1.2.840.10045.3.1.1" => "P-192",
        "1.3.132.0.33" => "P-224",
        "1.3.132.0.10" => "secp256k1",
        "1.3.36.3.3.2.8.1.1.7" => "brainpoolP256r1",
        "1.3.36.3.3.2.8.1.1.8" => "brainpoolP256t1",
        "1.3.36.3.3.2.8.1.1.11" => "brainpoolP384r1",
        "1.3.36.3.3.2.8.1.1.12" => "brainpoolP384t1",
        "1.3.36.3.3.2.8.1.1.13" => "brainpoolP512r1",
        "1.3.36.3.3.2.8.1.1.14" => "brainpoolP512t1",
        var dotted => dotted,
    };

    /// <summary>The contents octets of a dotted-decimal identifier; null when it is malformed.</summary>
    internal static byte[]? FromDotted(string? dotted)
    {
        try
        {
            var writer = new AsnWriter(AsnEncodingRules.DER);
            writer.WriteObjectIdentifier(dotted!);
            return writer.Encode()[2..];
        }
        catch (Exception exception) when (exception is ArgumentException or OverflowException or FormatException)
        {
            return null;
        }
    }
}
