using System.Formats.Asn1;
using MutualAuth.Asn1;

namespace MutualAuth.Certificates;

/// <summary>Forms of files that are not PEM.</summary>
internal enum BinaryForm
{
    /// <summary>Text, or nothing that is known.</summary>
    None,

    Certificate,
    RevocationList,
    PrivateKey,
    Pkcs7,
    Pkcs12,
    JavaKeyStore,
}

/// <summary>Recognises the files that people give in place of PEM, so that a message can say what they are and what to do with them.</summary>
internal static class BinaryForms
{
    private const int Pkcs12Version = 3;

    internal static BinaryForm Of(ReadOnlyMemory<byte> content)
    {
        if (content.Span.StartsWith((ReadOnlySpan<byte>)[0xfe, 0xed, 0xfe, 0xed])
            || content.Span.StartsWith((ReadOnlySpan<byte>)[0xce, 0xce, 0xce, 0xce]))
        {
            return BinaryForm.JavaKeyStore;
        }

        try
        {
            var outer = new DerReader(content);
            return OfSequence(outer.ReadSequence());
        }
        catch (AsnContentException)
        {
            return BinaryForm.None;
        }
    }

    /// <summary>A PEM file is wanted, of certificates or of a key: what to do; null for a form that is not known.</summary>
    internal static string? WayToPem(BinaryForm form, PemOrigin origin, string wanted) => form switch
    {
        BinaryForm.Certificate =>
            $"it is a certificate in DER. Convert it, openssl x509 -inform DER -in {origin.Argument} -out {wanted}.pem, and give that file",
        BinaryForm.RevocationList => "it is a revocation list in DER",
        BinaryForm.PrivateKey =>
            $"it is a private key in DER. Convert it, openssl pkey -inform DER -in {origin.Argument} -out KEY.pem, and give that file as the key",
        BinaryForm.Pkcs7 => $"it is PKCS#7 in DER. Convert it, openssl pkcs7 -inform DER -in {origin.Argument} -print_certs -out {wanted}.pem, and "
            + "give that file",
        BinaryForm.Pkcs12 => wanted == "anchors"
            ? $"it is PKCS#12. Convert it, openssl pkcs12 -in {origin.Argument} -nokeys -out {wanted}.pem, and give that file"
            : "it is PKCS#12, certificate and key together. Load it with Identity.FromPkcs12File, or follow it with IdentityFiles.FromPkcs12",
        BinaryForm.JavaKeyStore => wanted == "anchors"
            ? $"it is a Java key store. Convert it, keytool -list -rfc -keystore {origin.Argument} > {wanted}.pem, and give that file"
            : $"it is a Java key store. Convert it, keytool -importkeystore -srckeystore {origin.Argument} -destkeystore identity.p12 "
                + "-deststoretype PKCS12, and load that file with Identity.FromPkcs12File",
        _ => null,
    };

    private static BinaryForm OfSequence(DerReader reader)
    {
        switch (reader.NextTag)
        {
            case DerReader.ObjectIdentifier:
                return BinaryForm.Pkcs7;
            case DerReader.Integer:
                // PKCS#12 is the only one that begins with 3; keys begin with 0 or 1 (RFC 5958, RFC 8017, RFC 5915).
                return reader.ReadCount() == Pkcs12Version ? BinaryForm.Pkcs12 : BinaryForm.PrivateKey;
            case DerReader.Sequence:
                var first = reader.ReadSequence();
                return reader.NextIs(DerReader.OctetString) ? BinaryForm.PrivateKey : OfSigned(first);
            default:
                return BinaryForm.None;
        }
    }

    /// <summary>A revocation list has a time where a certificate has its validity (RFC 5280 §4.1, §5.1).</summary>
    private static BinaryForm OfSigned(DerReader signed)
    {
        if (signed.NextIs(DerReader.Context(0, constructed: true)))
        {
            return BinaryForm.Certificate;
        }

        if (signed.NextIs(DerReader.Integer))
        {
            signed.ReadInteger();
        }

        signed.ReadSequence();
        signed.ReadSequence();
        return signed.NextTag switch
        {
            DerReader.Sequence => BinaryForm.Certificate,
            DerReader.UtcTime or DerReader.GeneralizedTime => BinaryForm.RevocationList,
            _ => BinaryForm.None,
        };
    }
}
