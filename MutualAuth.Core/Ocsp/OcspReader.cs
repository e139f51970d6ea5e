using System.Collections.Immutable;
using System.Formats.Asn1;
using MutualAuth.Asn1;
using MutualAuth.Certificates;
using MutualAuth.Names;
using MutualAuth.Revocation;

namespace MutualAuth.Ocsp;

/// <summary>
/// Reads OCSP responses strictly and within bounds; what is none ends in <see cref="AsnContentException"/>.
/// <code>
/// OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED, responseBytes [0] EXPLICIT SEQUENCE { responseType OBJECT IDENTIFIER,
///     response OCTET STRING } OPTIONAL }
/// BasicOCSPResponse ::= SEQUENCE { tbsResponseData ResponseData, signatureAlgorithm AlgorithmIdentifier, signature BIT STRING,
///     certs [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }
/// ResponseData ::= SEQUENCE { version [0] EXPLICIT INTEGER DEFAULT v1, responderID CHOICE { byName [1] Name, byKey [2] OCTET STRING },
///     producedAt GeneralizedTime, responses SEQUENCE OF SingleResponse, responseExtensions [1] EXPLICIT Extensions OPTIONAL }   (RFC 6960 §4.2.1)
/// </code>
/// </summary>
internal static class OcspReader
{
    private const int MaxAnswers = 64;
    private const int MaxCertificates = 8;
    private const int MaxExtensions = 16;
    private const int MaxNonceLength = 128;

    internal static OcspResponse Read(ReadOnlyMemory<byte> der)
    {
        var basic = ReadBasic(der);
        var signed = basic.ReadElement();
        var algorithm = basic.ReadElement();
        var signature = basic.ReadWholeBitString();
        var certificates = ReadCertificates(ref basic);
        basic.End();

        var data = new DerReader(signed).ReadSequence();
        if (data.NextIs(DerReader.Context(0, constructed: true)))
        {
            throw new AsnContentException("the version is not the first, or writes out its default");
        }

        var name = TryReadExplicit(ref data, 1, out var named) ? DistinguishedName.Read(ref named) : null;
        ReadOnlyMemory<byte> keyId = default;
        if (name is null)
        {
            named = ReadExplicit(ref data, 2);
            keyId = named.ReadContent(DerReader.OctetString);
        }

        named.End();
        var producedAt = ReadTime(ref data);
        var answers = ReadAnswers(data.ReadSequence());
        var (nonce, flaw) = TryReadExplicit(ref data, 1, out var extensions) ? ReadExtensions(extensions) : default;
        data.End();
        return new OcspResponse
        {
            Signed = signed,
            Scheme = SignatureScheme.Read(algorithm),
            Signature = signature,
            ResponderName = name,
            ResponderKeyId = keyId,
            ProducedAt = producedAt,
            Answers = answers,
            Nonce = nonce,
            Flaw = flaw,
            Certificates = certificates,
        };
    }

    private static DerReader ReadBasic(ReadOnlyMemory<byte> der)
    {
        var whole = new DerReader(der);
        var response = whole.ReadSequence();
        whole.End();
        var status = response.ReadCount(DerReader.Enumerated);
        if (status != 0)
        {
            throw new AsnContentException($"the responder says {Describe(status)}");
        }

        var outer = ReadExplicit(ref response, 0);
        response.End();
        var bytes = outer.ReadSequence();
        outer.End();
        if (!bytes.ReadOid().Span.SequenceEqual(Oids.OcspBasic))
        {
            throw new AsnContentException("the response is of no basic type");
        }

        var content = new DerReader(bytes.ReadContent(DerReader.OctetString));
        bytes.End();
        var basic = content.ReadSequence();
        content.End();
        return basic;
    }

    private static string Describe(int status) => status switch
    {
        1 => "that the request is malformed",
        2 => "that it failed",
        3 => "to try later",
        5 => "that the request must be signed",
        6 => "that it does not answer us, or not about this issuer",
        _ => $"status {status}",
    };

    private static ImmutableArray<Certificate> ReadCertificates(ref DerReader basic)
    {
        if (!TryReadExplicit(ref basic, 0, out var field))
        {
            return [];
        }

        var sequence = field.ReadSequence();
        field.End();
        var certificates = ImmutableArray.CreateBuilder<Certificate>(1);
        while (!sequence.IsEmpty)
        {
            if (certificates.Count == MaxCertificates)
            {
                throw new AsnContentException("there are more than 8 certificates");
            }

            certificates.Add(CertificateReader.Read(sequence.ReadElement()));
        }

        return certificates.DrainToImmutable();
    }

    private static ImmutableArray<OcspSingle> ReadAnswers(DerReader sequence)
    {
        var answers = ImmutableArray.CreateBuilder<OcspSingle>(1);
        while (!sequence.IsEmpty)
        {
            if (answers.Count == MaxAnswers)
            {
                throw new AsnContentException("there are more than 64 answers");
            }

            answers.Add(ReadAnswer(sequence.ReadSequence()));
        }

        return answers.DrainToImmutable();
    }

    /// <summary>
    /// <c>SingleResponse ::= SEQUENCE { certID CertID, certStatus CHOICE { good [0] NULL, revoked [1] RevokedInfo, unknown [2] NULL },
    /// thisUpdate GeneralizedTime, nextUpdate [0] EXPLICIT GeneralizedTime OPTIONAL, singleExtensions [1] EXPLICIT Extensions OPTIONAL }</c>
    /// </summary>
    private static OcspSingle ReadAnswer(DerReader answer)
    {
        var certId = answer.ReadElement();
        var (status, revocation) = ReadStatus(ref answer);
        var thisUpdate = ReadTime(ref answer);
        DateTimeOffset? nextUpdate = null;
        if (TryReadExplicit(ref answer, 0, out var next))
        {
            nextUpdate = ReadTime(ref next);
            next.End();
        }

        var flaw = TryReadExplicit(ref answer, 1, out var extensions) ? ReadExtensions(extensions).Flaw : null;

        answer.End();
        return new OcspSingle(
            certId, status, revocation, thisUpdate, nextUpdate, nextUpdate < thisUpdate ? "the next update lies before this one" : flaw);
    }

    private static (OcspStatus Status, RevokedEntry Revocation) ReadStatus(ref DerReader answer)
    {
        if (answer.TryReadContent(DerReader.Context(1, constructed: true), out var content)
            || answer.TryReadContent(DerReader.Context(1), out content))
        {
            return (OcspStatus.Revoked, ReadRevocation(new DerReader(content)));
        }

        var isGood = answer.NextIs(DerReader.Context(0));
        return answer.ReadContent(DerReader.Context(isGood ? 0 : 2)).IsEmpty
            ? (isGood ? OcspStatus.Good : OcspStatus.Unknown, default)
            : throw new AsnContentException("NULL has contents");
    }

    /// <summary>Since when and why, as far as that can be read. Who is said to be revoked is revoked, however badly the reason is written.</summary>
    private static RevokedEntry ReadRevocation(DerReader info)
    {
        var entry = new RevokedEntry(DateTimeOffset.UnixEpoch, RevocationReason.Unspecified);
        try
        {
            entry = entry with { Since = ReadTime(ref info) };
            if (TryReadExplicit(ref info, 0, out var code)
                && (RevocationReason)code.ReadCount(DerReader.Enumerated) is var reason
                && Enum.IsDefined(reason))
            {
                entry = entry with { Reason = reason };
            }
        }
        catch (AsnContentException)
        {
            return entry;
        }

        return entry;
    }

    /// <summary>
    /// Reads extensions, of which only the nonce is understood. A critical one that is not is a flaw of the answer, which takes no revocation back.
    /// </summary>
    private static (ReadOnlyMemory<byte> Nonce, string? Flaw) ReadExtensions(DerReader field)
    {
        string? flaw = null;
        var sequence = field.ReadSequence();
        field.End();
        ReadOnlyMemory<byte> nonce = default;
        var seen = default(ExtensionNames);
        do
        {
            var (id, critical, value) = Extension.ReadNext(ref sequence, ref seen, MaxExtensions);
            if (id.Span.SequenceEqual(Oids.OcspNonce))
            {
                nonce = value.ReadContent(DerReader.OctetString);
                value.End();
                if (nonce.Length is 0 or > MaxNonceLength)
                {
                    throw new AsnContentException("the nonce is empty or longer than 128 octets");
                }
            }
            else if (critical)
            {
                flaw ??= $"there is the critical extension {Oids.ToDotted(id.Span)}, which is not understood";
            }
        }
        while (!sequence.IsEmpty);
        return (nonce, flaw);
    }

    /// <summary>A time, which OCSP writes as GeneralizedTime in whole seconds whatever the year.</summary>
    private static DateTimeOffset ReadTime(ref DerReader reader)
    {
        var time = AsnDecoder.ReadGeneralizedTime(reader.ReadElement().Span, AsnEncodingRules.DER, out _);
        return time.Ticks % TimeSpan.TicksPerSecond == 0 ? time : throw new AsnContentException("a time has fractions of a second");
    }

    private static bool TryReadExplicit(ref DerReader reader, int tag, out DerReader content)
    {
        var isThere = reader.TryReadContent(DerReader.Context(tag, constructed: true), out var octets);
        content = new DerReader(octets);
        return isThere;
    }

    private static DerReader ReadExplicit(ref DerReader reader, int tag) => new(reader.ReadContent(DerReader.Context(tag, constructed: true)));
}
