using System.Formats.Asn1;
using MutualAuth.Names;

namespace MutualAuth.Certificates;

/// <summary>Reads <c>Certificate</c> and <c>TBSCertificate</c> (RFC 5280 §4.1).</summary>
internal static class CertificateReader
{
    internal static Certificate Read(ReadOnlyMemory<byte> der)
    {
        var whole = new DerReader(der);
        var certificate = whole.ReadSequence();
        whole.End();
        var signed = certificate.ReadElement();
        var algorithm = certificate.ReadElement();
        var signature = certificate.ReadWholeBitString();
        certificate.End();

        var tbs = new DerReader(signed).ReadSequence();
        var version = ReadVersion(ref tbs);
        var serial = tbs.ReadInteger();
        if (!tbs.ReadElement().Span.SequenceEqual(algorithm.Span))
        {
            throw new AsnContentException("the signature algorithm outside is not the one that was signed");
        }

        var issuer = DistinguishedName.Read(ref tbs);
        var validity = tbs.ReadSequence();
        var notBefore = validity.ReadTime();
        var notAfter = validity.ReadTime();
        validity.End();
        var subject = DistinguishedName.Read(ref tbs);
        return new Certificate(new CertificateFields
        {
            RawData = der,
            Version = version,
            Serial = serial,
            Signed = signed,
            SignatureAlgorithm = algorithm,
            Scheme = SignatureScheme.Read(algorithm),
            Signature = signature,
            Issuer = issuer,
            Subject = subject,
            NotBefore = notBefore,
            NotAfter = notAfter,
            PublicKey = PublicKeyInfo.Read(tbs.ReadElement()),
            Extensions = ReadTail(ref tbs, version),
        });
    }

    private static int ReadVersion(ref DerReader tbs)
    {
        if (!tbs.TryReadContent(DerReader.Context(0, constructed: true), out var field))
        {
            return 1;
        }

        var reader = new DerReader(field);
        var version = reader.ReadCount();
        reader.End();

        // DER does not write the default, which is 0.
        return version is 1 or 2 ? version + 1 : throw new AsnContentException("the version is not one that X.509 has");
    }

    private static CertificateExtensions ReadTail(ref DerReader tbs, int version)
    {
        var hasUniqueIds = tbs.TryReadContent(DerReader.Context(1), out _) | tbs.TryReadContent(DerReader.Context(2), out _);
        if (hasUniqueIds && version < 2)
        {
            throw new AsnContentException("a certificate of version 1 has unique identifiers");
        }

        if (!tbs.TryReadContent(DerReader.Context(3, constructed: true), out var field))
        {
            tbs.End();
            return CertificateExtensions.None;
        }

        tbs.End();
        if (version < 3)
        {
            throw new AsnContentException("a certificate of a version before 3 has extensions");
        }

        var reader = new DerReader(field);
        var extensions = ExtensionReader.Read(reader.ReadSequence());
        reader.End();
        return extensions;
    }
}
