using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Testing.Revocation;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.Ocsp;
using Org.BouncyCastle.Asn1.Oiw;
using Org.BouncyCastle.Asn1.X509;

namespace MutualAuth.Testing.Building;

/// <summary>
/// Writes an OCSP response down as DER, unchecked.
/// <code>
/// ResponseData   ::= SEQUENCE { responderID ResponderID, producedAt GeneralizedTime, responses SEQUENCE OF SingleResponse, [1] Extensions OPTIONAL }
/// SingleResponse ::= SEQUENCE { certID CertID, certStatus CertStatus, thisUpdate GeneralizedTime, nextUpdate [0] EXPLICIT GeneralizedTime OPTIONAL,
///     singleExtensions [1] EXPLICIT Extensions OPTIONAL }   (RFC 6960 §4.2.1)
/// </code>
/// </summary>
internal static class OcspEncoder
{
    internal static byte[] Encode(OcspSpec spec, Issuer authority)
    {
        if (spec.ResponseStatus != 0)
        {
            return new DerSequence(new DerEnumerated(spec.ResponseStatus)).GetDerEncoded();
        }

        var responder = spec.Responder is { } delegated
            ? new Issuer(CertificateEncoder.SubjectOf(delegated.Spec), delegated.Key, null)
            : authority;
        var signingKey = spec.SigningKey ?? responder.Key;
        var algorithm = spec.SignatureAlgorithm ?? Signing.DefaultFor(signingKey.Algorithm);

        var parts = new Asn1EncodableVector
        {
            spec.ResponderByKey
                ? new DerTaggedObject(true, 2, new DerOctetString(CertificateEncoder.KeyIdentifierOf(responder.Key)))
                : new DerTaggedObject(true, 1, responder.Name),
            TimeOf(spec.ProducedAt),
            Der.Sequence(spec.Answers.Select(answer => AnswerOf(answer, authority))),
        };
        if (ExtensionsOf(spec) is { Count: > 0 } extensions)
        {
            parts.Add(new DerTaggedObject(true, 1, extensions));
        }

        var certificates = spec is { Responder: { } sent, IncludeResponderCertificate: true }
            ? new DerTaggedObject(true, 0, new DerSequence(Asn1Object.FromByteArray(sent.RawCertificate.ToArray()))).GetDerEncoded()
            : [];
        var basic = CertificateEncoder.Seal(
            new DerSequence(parts).GetDerEncoded(), signingKey, algorithm, spec.CorruptSignature, rewrite: null, trailer: certificates);
        return new OcspResponse(
            new OcspResponseStatus(0), new ResponseBytes(OcspObjectIdentifiers.PkixOcspBasic, new DerOctetString(basic))).GetDerEncoded();
    }

    private static DerSequence AnswerOf(OcspAnswer answer, Issuer authority)
    {
        var parts = new Asn1EncodableVector
        {
            answer.RawCertId is { } raw ? Asn1Object.FromByteArray(raw.ToArray()) : CertIdOf(answer, authority),
            StatusOf(answer),
            TimeOf(answer.ThisUpdate),
        };
        if (answer.NextUpdate is { } nextUpdate)
        {
            parts.Add(new DerTaggedObject(true, 0, TimeOf(nextUpdate)));
        }

        if (answer.Extensions.Count > 0)
        {
            parts.Add(new DerTaggedObject(true, 1, Der.Sequence(answer.Extensions.Select(ExtensionEncoder.Wrap))));
        }

        return new DerSequence(parts);
    }

    private static CertID CertIdOf(OcspAnswer answer, Issuer authority)
    {
#pragma warning disable CA5350 // RFC 6960 identifies the issuer by SHA-1 unless the request says otherwise.
        var nameHash = SHA1.HashData(authority.Name.GetEncoded(Asn1Encodable.Der));
#pragma warning restore CA5350
        return new CertID(
            new AlgorithmIdentifier(OiwObjectIdentifiers.IdSha1, DerNull.Instance),
            new DerOctetString(nameHash),
            new DerOctetString(CertificateEncoder.KeyIdentifierOf(authority.Key)),
            CertificateEncoder.ToDer(answer.SerialNumber));
    }

    private static DerTaggedObject StatusOf(OcspAnswer answer) => answer.Status switch
    {
        OcspStatus.Good => new DerTaggedObject(false, 0, DerNull.Instance),
        OcspStatus.Unknown => new DerTaggedObject(false, 2, DerNull.Instance),
        _ => new DerTaggedObject(false, 1, answer.Reason == X509RevocationReason.Unspecified
            ? new DerSequence(TimeOf(answer.RevokedAt))
            : new DerSequence(TimeOf(answer.RevokedAt), new DerTaggedObject(true, 0, new DerEnumerated((int)answer.Reason)))),
    };

    private static DerSequence ExtensionsOf(OcspSpec spec)
    {
        var extensions = new Asn1EncodableVector();
        if (spec.Nonce is { } nonce)
        {
            extensions.Add(ExtensionEncoder.Wrap(OcspObjectIdentifiers.PkixOcspNonce.Id, false, new DerOctetString(nonce.ToArray()).GetDerEncoded()));
        }

        foreach (var extension in spec.Extensions)
        {
            extensions.Add(ExtensionEncoder.Wrap(extension));
        }

        return new DerSequence(extensions);
    }

    private static DerGeneralizedTime TimeOf(DateTimeOffset time) =>
        new DerGeneralizedTime(time.UtcDateTime.AddTicks(-(time.UtcTicks % TimeSpan.TicksPerSecond)));
}
