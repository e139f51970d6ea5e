using System.Formats.Asn1;
using MutualAuth.Testing.Building;
using MutualAuth.Testing.Revocation;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.Ocsp;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Security;

namespace MutualAuth.Testing.Responders;

/// <summary>Answers OCSP over HTTP on loopback (RFC 6960, by GET and POST) from what an authority has issued and revoked, at once.</summary>
/// <remarks>
/// A question names the issuer by the digests of its name and of its key; where either is another issuer's, the answer is <c>unknown</c>, whatever
/// the number (RFC 6960 §2.2).
/// </remarks>
public sealed class OcspResponder : HttpResponder
{
    private readonly TestAuthority _authority;
    private readonly TestKey _stranger;

    /// <summary>Starts answering.</summary>
    /// <param name="authority">Whose word it passes on. Not owned.</param>
    /// <param name="publishedHost">
    /// What those who ask call this machine, such as <c>host.docker.internal</c> for a container; it then listens on every address. Null for the
    /// loopback address alone.
    /// </param>
    /// <param name="port">Where to listen; 0 takes a free port.</param>
    /// <exception cref="ArgumentException"><paramref name="publishedHost"/> cannot stand in a URI.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="port"/> is no port.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The port is in use, or not ours to take.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="authority"/> is null.</exception>
    public OcspResponder(TestAuthority authority, string? publishedHost = null, int port = 0)
        : base(ClockOf(authority), publishedHost, port)
    {
        _authority = authority;
        _stranger = authority.StrangeKey();
    }

    /// <summary>Where it answers.</summary>
    public string Uri => BaseUri.ToString();

    /// <summary>
    /// The delegated responder that signs (RFC 6960 §4.2.2.2), such as <see cref="IssueResponder"/> makes; null for the authority itself.
    /// Not owned.
    /// </summary>
    public TestCertificate? Responder { get; set; }

    /// <summary>Whether it repeats the nonce of a request. Default: true; many responders in the wild do not.</summary>
    public bool RepeatsNonce { get; set; } = true;

    /// <summary>Changes every response before it is signed; null leaves them alone.</summary>
    public Func<OcspSpec, OcspSpec>? Spec { get; set; }

    /// <summary>Issues a delegated responder's certificate: OCSP signing, with the no-check extension.</summary>
    /// <returns>The certificate, which the caller disposes.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="authority"/> is null.</exception>
    public static TestCertificate IssueResponder(TestAuthority authority, Func<CertificateSpec, CertificateSpec>? spec = null)
    {
        ArgumentNullException.ThrowIfNull(authority);
        return authority.Issue(leaf =>
        {
            var responder = leaf with
            {
                Subject = "CN=Test OCSP Responder",
                ExtendedKeyUsages = [ExtendedKeyUsage.OcspSigning],
                Extensions = [CertificateExtension.OcspNoCheck],
            };
            return spec?.Invoke(responder) ?? responder;
        });
    }

    /// <summary>Answers a request without HTTP, as it is answered over HTTP.</summary>
    /// <param name="request">An OCSPRequest in DER.</param>
    /// <returns>
    /// An OCSPResponse in DER (RFC 6960 §2.3), with an answer to each question of the request: <c>malformedRequest</c> when the request cannot be
    /// read or demands what is not known here, <c>internalError</c> when <see cref="Spec"/> fails. <see cref="HttpResponder.Problems"/> says why.
    /// </returns>
    public byte[] Answer(ReadOnlyMemory<byte> request) => Answer(request, asked: null);

    internal override IReadOnlyList<string> Methods { get; } = ["GET", "HEAD", "POST"];

    // Every path is right: by POST to whatever path, and by GET with the request in it.
    internal override HttpRefusal? Refuse(ResponderRequest request) => null;

    internal override string ContentTypeOf(ResponderRequest request) => "application/ocsp-response";

    private protected override ResponderReply Answer(ResponderRequest request) =>
        new(200, ContentTypeOf(request), request.Method == "POST" ? Answer(request.Body, request) : AnswerPath(request));

    private static TimeProvider ClockOf(TestAuthority authority)
    {
        ArgumentNullException.ThrowIfNull(authority);
        return authority.Clock;
    }

    // RFC 6960 appendix A.1: the base64 of the request, with escapes where the URI needs them. It begins with M, so no slash before it is its own.
    private byte[] AnswerPath(ResponderRequest request)
    {
        var text = System.Uri.UnescapeDataString(request.Name);
        var octets = new byte[text.Length];
        return !text.Any(char.IsWhiteSpace) && Convert.TryFromBase64String(text, octets, out var count)
            ? Answer(octets.AsMemory(0, count), request)
            : Malformed("the path is not the base64 of a request, with its padding and without white space", request);
    }

    private byte[] Answer(ReadOnlyMemory<byte> octets, ResponderRequest? asked)
    {
        OcspRequest request;
        List<OcspAnswer> answers;
        try
        {
            request = OcspRequest.Read(octets);
            answers = [.. request.Questions.Select(AnswerTo)];
        }
        catch (Exception exception) when (exception is AsnContentException or InvalidDataException)
        {
            return Malformed(exception is AsnContentException ? $"it is no OCSPRequest in DER: {exception.Message}" : exception.Message, asked);
        }

        try
        {
            return _authority.IssueOcspResponse(answers, spec => Misbehave(spec with
            {
                Responder = Responder,
                Nonce = RepeatsNonce ? request.Nonce : null,
            }));
        }
        catch (Exception exception)
        {
            var reason = $"{exception.GetType().Name}: {exception.Message}";
            Tell(new ResponderProblem(ResponderProblemKind.Failed, reason, asked, asked is null ? null : 200, exception));
            return Status(OcspResponseStatus.InternalError);
        }
    }

    private byte[] Malformed(string reason, ResponderRequest? asked)
    {
        Tell(new ResponderProblem(ResponderProblemKind.MalformedOcspRequest, reason, asked, asked is null ? null : 200, Exception: null));
        return Status(OcspResponseStatus.MalformedRequest);
    }

    private static byte[] Status(int status) => new DerSequence(new DerEnumerated(status)).GetDerEncoded();

    private OcspAnswer AnswerTo(OcspQuestion question)
    {
        // Another issuer's certificate may have the same number, and another issuer the same name or the same key: only both digests together
        // tell them apart, and of an issuer that is not served here all is unknown (RFC 6960 §2.2 and §4.1.1).
        var isOurs = IsDigest(question.IssuerKeyHash, question.HashAlgorithm, PublicKey())
            && IsDigest(question.IssuerNameHash, question.HashAlgorithm, _authority.Issuer.Name.GetDerEncoded());
        var answer = isOurs ? _authority.Revoked.StatusOf(question.SerialNumber) : new OcspAnswer(question.SerialNumber, OcspStatus.Unknown);
        return answer with { RawCertId = question.RawCertId };
    }

    private byte[] PublicKey() =>
        SubjectPublicKeyInfo.GetInstance(Asn1Object.FromByteArray(_authority.AsCertificate.Key.SubjectPublicKeyInfo.ToArray())).PublicKey.GetBytes();

    /// <exception cref="InvalidDataException">The digest is not known here.</exception>
    private static bool IsDigest(ReadOnlyMemory<byte> asked, string hashAlgorithm, byte[] octets)
    {
        try
        {
            return asked.Span.SequenceEqual(DigestUtilities.CalculateDigest(new DerObjectIdentifier(hashAlgorithm), octets));
        }
        catch (SecurityUtilityException)
        {
            throw new InvalidDataException($"the digest {hashAlgorithm} is not known here");
        }
    }

    // An answer knows nothing of what came after it (RFC 6960 §2.4).
    private static OcspAnswer Stale(OcspAnswer answer)
    {
        var known = answer.ThisUpdate.ShiftDays(-30);
        return answer with
        {
            ThisUpdate = known,
            NextUpdate = answer.ThisUpdate.ShiftDays(-7),
            Status = answer.Status == OcspStatus.Revoked && answer.RevokedAt > known ? OcspStatus.Good : answer.Status,
        };
    }

    private OcspSpec Misbehave(OcspSpec spec)
    {
        var changed = Spec is null ? spec : Spec(spec) ?? throw new InvalidOperationException("Spec returned null.");
        return Mode switch
        {
            ResponderMode.Stale => changed with
            {
                ProducedAt = changed.ProducedAt.ShiftDays(-30),
                Answers = [.. changed.Answers.Select(Stale)],
            },
            ResponderMode.WrongSigner => changed with { SigningKey = _stranger },
            _ => changed,
        };
    }
}
