using System.Formats.Asn1;
using System.Numerics;

namespace MutualAuth.Testing.Responders;

/// <summary>
/// What an OCSPRequest asks, read strictly.
/// <code>
/// OCSPRequest ::= SEQUENCE { tbsRequest TBSRequest, optionalSignature [0] EXPLICIT Signature OPTIONAL }
/// TBSRequest  ::= SEQUENCE { version [0] EXPLICIT INTEGER DEFAULT v1, requestorName [1] EXPLICIT GeneralName OPTIONAL,
///     requestList SEQUENCE OF Request, requestExtensions [2] EXPLICIT Extensions OPTIONAL }
/// Request     ::= SEQUENCE { reqCert CertID, singleRequestExtensions [0] EXPLICIT Extensions OPTIONAL }
/// CertID      ::= SEQUENCE { hashAlgorithm AlgorithmIdentifier, issuerNameHash OCTET STRING, issuerKeyHash OCTET STRING, serialNumber INTEGER }
///     (RFC 6960 §4.1.1)
/// </code>
/// </summary>
/// <param name="Questions">The certificates that are asked about; at least one.</param>
/// <param name="Nonce">The nonce; null where there is none.</param>
internal sealed record OcspRequest(IReadOnlyList<OcspQuestion> Questions, ReadOnlyMemory<byte>? Nonce)
{
    private const string NonceId = "1.3.6.1.5.5.7.48.1.2";
    private const string AcceptableResponsesId = "1.3.6.1.5.5.7.48.1.4";
    private const string BasicResponseId = "1.3.6.1.5.5.7.48.1.1";
    private const int MaxNonce = 128;

    private static readonly Asn1Tag s_context0 = new(TagClass.ContextSpecific, 0, isConstructed: true);
    private static readonly Asn1Tag s_context1 = new(TagClass.ContextSpecific, 1, isConstructed: true);
    private static readonly Asn1Tag s_context2 = new(TagClass.ContextSpecific, 2, isConstructed: true);

    /// <exception cref="AsnContentException">It is not DER, or not of this structure.</exception>
    /// <exception cref="InvalidDataException">It asks for what is not known here.</exception>
    internal static OcspRequest Read(ReadOnlyMemory<byte> der)
    {
        var reader = new AsnReader(der, AsnEncodingRules.DER);
        var outer = reader.ReadSequence();
        reader.ThrowIfNotEmpty();
        var request = outer.ReadSequence();
        if (Explicit(outer, s_context0) is { } signature)
        {
            // Every client may ask here, so that no signature matters.
            signature.ReadSequence();
            signature.ThrowIfNotEmpty();
        }

        outer.ThrowIfNotEmpty();
        if (Explicit(request, s_context0) is { } version && !version.ReadInteger().IsZero)
        {
            throw new InvalidDataException("the request has another version than v1");
        }

        if (Explicit(request, s_context1) is { } requestor)
        {
            requestor.ReadEncodedValue();
            requestor.ThrowIfNotEmpty();
        }

        var questions = new List<OcspQuestion>();
        for (var list = request.ReadSequence(); list.HasData;)
        {
            questions.Add(ReadQuestion(list.ReadSequence()));
        }

        var extensions = Explicit(request, s_context2) is { } wrapped ? ReadExtensions(wrapped) : [];
        request.ThrowIfNotEmpty();
        return questions.Count > 0 ? new OcspRequest(questions, NonceIn(extensions))
            : throw new InvalidDataException("the request asks about no certificate");
    }

    private static AsnReader? Explicit(AsnReader reader, Asn1Tag tag) =>
        reader.HasData && reader.PeekTag().HasSameClassAndValue(tag) ? reader.ReadSequence(tag) : null;

    private static OcspQuestion ReadQuestion(AsnReader request)
    {
        var raw = request.PeekEncodedValue();
        var id = request.ReadSequence();
        var algorithm = id.ReadSequence();
        var hash = algorithm.ReadObjectIdentifier();
        if (algorithm.HasData)
        {
            if (!algorithm.PeekTag().HasSameClassAndValue(Asn1Tag.Null))
            {
                throw new InvalidDataException($"the digest {hash} has parameters");
            }

            algorithm.ReadNull();
        }

        algorithm.ThrowIfNotEmpty();
        var nameHash = id.ReadOctetString();
        var keyHash = id.ReadOctetString();
        var serialNumber = id.ReadInteger();
        id.ThrowIfNotEmpty();
        if (Explicit(request, s_context0) is { } extensions)
        {
            ReadExtensions(extensions);
        }

        request.ThrowIfNotEmpty();
        return new OcspQuestion(hash, nameHash, keyHash, serialNumber, raw);
    }

    private static Dictionary<string, ReadOnlyMemory<byte>> ReadExtensions(AsnReader wrapped)
    {
        var extensions = new Dictionary<string, ReadOnlyMemory<byte>>();
        var list = wrapped.ReadSequence();
        wrapped.ThrowIfNotEmpty();
        while (list.HasData)
        {
            var extension = list.ReadSequence();
            var id = extension.ReadObjectIdentifier();
            var critical = extension.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean) && extension.ReadBoolean();
            if (critical && id is not (NonceId or AcceptableResponsesId))
            {
                throw new InvalidDataException($"the extension {id} is critical, and not known here");
            }

            if (!extensions.TryAdd(id, extension.ReadOctetString()))
            {
                throw new InvalidDataException($"the extension {id} is there twice");
            }

            extension.ThrowIfNotEmpty();
        }

        if (extensions.TryGetValue(AcceptableResponsesId, out var acceptable))
        {
            CheckAcceptable(acceptable);
        }

        return extensions;
    }

    private static void CheckAcceptable(ReadOnlyMemory<byte> der)
    {
        var reader = new AsnReader(der, AsnEncodingRules.DER);
        var basic = false;
        for (var types = reader.ReadSequence(); types.HasData;)
        {
            basic |= types.ReadObjectIdentifier() == BasicResponseId;
        }

        reader.ThrowIfNotEmpty();
        if (!basic)
        {
            throw new InvalidDataException("the request does not accept basic responses, and there are no others here");
        }
    }

    private static ReadOnlyMemory<byte>? NonceIn(Dictionary<string, ReadOnlyMemory<byte>> extensions)
    {
        if (!extensions.TryGetValue(NonceId, out var der))
        {
            return null;
        }

        var reader = new AsnReader(der, AsnEncodingRules.DER);
        var nonce = reader.ReadOctetString();
        reader.ThrowIfNotEmpty();

        // RFC 9654 §2.1.
        return nonce.Length is > 0 and <= MaxNonce ? nonce
            : throw new InvalidDataException($"the nonce has {nonce.Length} octets, and 1 to {MaxNonce} are allowed");
    }
}

/// <summary>A certificate that is asked about, by its CertID.</summary>
internal sealed record OcspQuestion(
    string HashAlgorithm,
    ReadOnlyMemory<byte> IssuerNameHash,
    ReadOnlyMemory<byte> IssuerKeyHash,
    BigInteger SerialNumber,
    ReadOnlyMemory<byte> RawCertId);
