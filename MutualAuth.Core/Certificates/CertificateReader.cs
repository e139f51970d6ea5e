using System.Formats.Asn1;
using MutualAuth.Asn1;
using MutualAuth.Names;

namespace MutualAuth.Certificates;

/// <summary>Reads <c>Certificate</c> and <c>TBSCertificate</c> (RFC 5280 §4.1).</summary>
internal static class CertificateReader
{
    internal static Certificate Read(ReadOnlyMemory<byte> der) => Read(der, new DerDeviations(der), out _);

    /// <summary>Reads one certificate.</summary>
    /// <param name="der">The encoding.</param>
    /// <param name="slips">Is told the deviations; on failure, it has the field where it failed.</param>
    /// <param name="subject">The subject, also when what follows it cannot be read; null when it was not reached.</param>
    internal static Certificate Read(ReadOnlyMemory<byte> der, DerDeviations slips, out DistinguishedName? subject)
    {
        subject = null;
        var whole = new DerReader(der, slips);
        var certificate = whole.ReadSequence();
        whole.End();
        var signed = certificate.ReadElement();
        var algorithm = certificate.ReadElement();
        var signature = certificate.ReadWholeBitString();
        certificate.End();

        var tbs = whole.Within(signed).ReadSequence();
        slips.Enter("the field version", tbs.Rest);
        var version = ReadVersion(ref tbs);
        slips.Enter("the field serialNumber", tbs.Rest);
        var serial = tbs.ReadInteger();
        slips.Enter("the field signature", tbs.Rest);
        if (!tbs.ReadElement().Span.SequenceEqual(algorithm.Span))
        {
            throw new AsnContentException("the signature algorithm outside is not the one that was signed");
        }

        var scheme = SignatureScheme.Read(whole.Within(algorithm));
        slips.Enter("the field issuer", tbs.Rest);
        var issuer = DistinguishedName.Read(ref tbs);
        slips.Enter("the field validity", tbs.Rest);
        var validity = tbs.ReadSequence();
        var notBefore = validity.ReadTime();
        var notAfter = validity.ReadTime();
        validity.End();
        slips.Enter("the field subject", tbs.Rest);
        subject = DistinguishedName.Read(ref tbs);
        slips.Enter("the field subjectPublicKeyInfo", tbs.Rest);
        var publicKey = PublicKeyInfo.Read(tbs.ReadElement());
        slips.Enter("the fields behind the key", tbs.Rest);
        var extensions = ReadTail(ref tbs, version, slips);
        return new Certificate(new CertificateFields
        {
            RawData = der,
            Version = version,
            Serial = serial,
            Signed = signed,
            SignatureAlgorithm = algorithm,
            Scheme = scheme,
            Signature = signature,
            Issuer = issuer,
            Subject = subject,
            NotBefore = notBefore,
            NotAfter = notAfter,
            PublicKey = publicKey,
            Extensions = extensions,
            Slip = slips.First,
        });
    }

    private static int ReadVersion(ref DerReader tbs)
    {
        if (!tbs.TryReadContent(DerReader.Context(0, constructed: true), out var field))
        {
            return 1;
        }

        var reader = tbs.Within(field);
        var version = reader.ReadCount();
        reader.End();
        if (version == 0)
        {
            reader.Slip("version 1, which is the default, is written out");
        }

        return version is >= 0 and <= 2 ? version + 1 : throw new AsnContentException("the version is not one that X.509 has");
    }

    private static CertificateExtensions ReadTail(ref DerReader tbs, int version, DerDeviations slips)
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

        var reader = tbs.Within(field);
        var extensions = ExtensionReader.Read(reader.ReadSequence(), slips);
        reader.End();
        return extensions;
    }
}
