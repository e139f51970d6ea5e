using System.Formats.Asn1;
using System.Security.Cryptography;
using MutualAuth.Asn1;
using MutualAuth.Certificates;

namespace MutualAuth.Ocsp;

/// <summary>
/// A question to an OCSP responder about one certificate.
/// <code>
/// OCSPRequest ::= SEQUENCE { tbsRequest SEQUENCE { requestList SEQUENCE OF SEQUENCE { reqCert CertID },
///     requestExtensions [2] EXPLICIT Extensions } }
/// CertID ::= SEQUENCE { hashAlgorithm AlgorithmIdentifier, issuerNameHash OCTET STRING, issuerKeyHash OCTET STRING, serialNumber INTEGER }
///     (RFC 6960 §4.1)
/// </code>
/// </summary>
internal sealed class OcspQuestion
{
    // RFC 9654 §2.1 wants 32, and RFC 8954 allows no more.
    private const int NonceLength = 32;

    private readonly OcspHash _hash;
    private readonly byte[] _nonce = RandomNumberGenerator.GetBytes(NonceLength);

    internal OcspQuestion(Certificate subject, Certificate issuer, OcspHash hash)
    {
        Subject = subject;
        Issuer = issuer;
        _hash = hash;
    }

    internal Certificate Subject { get; }

    internal Certificate Issuer { get; }

    internal ReadOnlySpan<byte> Nonce => _nonce;

    internal byte[] Encode()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
            using (writer.PushSequence())
            {
                WriteCertId(writer);
            }

            using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 2)))
            using (writer.PushSequence())
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(Oids.ToDotted(Oids.OcspNonce));
                using (writer.PushOctetString())
                {
                    writer.WriteOctetString(_nonce);
                }
            }
        }

        return writer.Encode();
    }

    /// <summary>Whether a CertID is that of the certificate, by whichever of the two hashes.</summary>
    internal bool IsAbout(DerReader certId)
    {
        var algorithm = certId.ReadSequence();
        var id = algorithm.ReadOid();
        if (!algorithm.IsEmpty && !algorithm.ReadContent(DerReader.Null).IsEmpty)
        {
            throw new AsnContentException("NULL has contents");
        }

        algorithm.End();
        var nameHash = certId.ReadContent(DerReader.OctetString);
        var keyHash = certId.ReadContent(DerReader.OctetString);
        var serial = certId.ReadInteger();
        certId.End();
        return serial.Span.SequenceEqual(Subject.Serial.Span)
            && HashOf(id.Span) is { } hash
            && nameHash.Span.SequenceEqual(Digest(hash, Subject.Issuer.RawData.Span))
            && keyHash.Span.SequenceEqual(Digest(hash, KeyBits(Issuer)));
    }

    /// <summary>The contents of the subjectPublicKey bit string, by whose SHA-1 a responder may name itself as well.</summary>
    internal static byte[] KeyIdOf(Certificate certificate) => Digest(OcspHash.Sha1, KeyBits(certificate));

    private static ReadOnlySpan<byte> KeyBits(Certificate certificate)
    {
        var info = new DerReader(certificate.SubjectPublicKeyInfo).ReadSequence();
        info.ReadElement();
        return info.ReadWholeBitString().Span;
    }

    private static OcspHash? HashOf(ReadOnlySpan<byte> id) =>
        id.SequenceEqual(Oids.Sha1) ? OcspHash.Sha1 : id.SequenceEqual(Oids.Sha256) ? OcspHash.Sha256 : null;

#pragma warning disable CA5350 // The protocol names certificates by it; no signature rests on it.
    private static byte[] Digest(OcspHash hash, ReadOnlySpan<byte> data) => hash == OcspHash.Sha1 ? SHA1.HashData(data) : SHA256.HashData(data);
#pragma warning restore CA5350

    private void WriteCertId(AsnWriter writer)
    {
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(Oids.ToDotted(_hash == OcspHash.Sha1 ? Oids.Sha1 : Oids.Sha256));
                writer.WriteNull();
            }

            writer.WriteOctetString(Digest(_hash, Subject.Issuer.RawData.Span));
            writer.WriteOctetString(Digest(_hash, KeyBits(Issuer)));
            writer.WriteInteger(Subject.Serial.Span);
        }
    }
}
