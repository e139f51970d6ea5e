using MutualAuth.Testing.Revocation;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.Ocsp;
using Org.BouncyCastle.Asn1.X509;
using Number = System.Numerics.BigInteger;

namespace MutualAuth.Testing.Responders;

/// <summary>Answers OCSP over HTTP on loopback (RFC 6960, by GET and POST) from what an authority has issued and revoked, at once.</summary>
public sealed class OcspResponder : HttpResponder
{
    private readonly TestAuthority _authority;
    private readonly TestKey _stranger;

    /// <summary>Starts answering. The authority is not owned.</summary>
    public OcspResponder(TestAuthority authority)
        : base(ClockOf(authority))
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

    /// <summary>Answers a request without HTTP.</summary>
    /// <param name="request">An OCSPRequest in DER.</param>
    /// <returns>An OCSPResponse in DER; <c>malformedRequest</c> when the request cannot be read.</returns>
    public byte[] Answer(ReadOnlyMemory<byte> request)
    {
        OcspRequest parsed;
        List<OcspAnswer> answers;
        try
        {
            parsed = OcspRequest.GetInstance(Asn1Object.FromByteArray(request.ToArray()));
            answers = [.. parsed.TbsRequest.RequestList.Select(entry => AnswerTo(Request.GetInstance(entry)))];
        }
        catch (Exception exception) when (exception is ArgumentException or IOException or InvalidOperationException or Asn1ParsingException)
        {
            return _authority.IssueOcspResponse([], spec => spec with { ResponseStatus = OcspResponseStatus.MalformedRequest });
        }

        var nonce = parsed.TbsRequest.RequestExtensions?.GetExtension(OcspObjectIdentifiers.PkixOcspNonce)?.GetParsedValue() as Asn1OctetString;
        return _authority.IssueOcspResponse(answers, spec => Misbehave(spec with
        {
            Responder = Responder,
            Nonce = RepeatsNonce && nonce is not null ? nonce.GetOctets() : (ReadOnlyMemory<byte>?)null,
        }));
    }

    private protected override ResponderReply Answer(ResponderRequest request)
    {
        ReadOnlyMemory<byte> asked = request.Body;
        if (request.Method == "GET")
        {
            var text = System.Uri.UnescapeDataString(request.Path.TrimStart('/'));
            var octets = new byte[text.Length];
            asked = Convert.TryFromBase64String(text, octets, out var count) ? octets.AsMemory(0, count) : ReadOnlyMemory<byte>.Empty;
        }

        return new ResponderReply(200, "application/ocsp-response", Answer(asked));
    }

    private static TimeProvider ClockOf(TestAuthority authority)
    {
        ArgumentNullException.ThrowIfNull(authority);
        return authority.Clock;
    }

    private OcspAnswer AnswerTo(Request request)
    {
        var id = request.ReqCert;
        var serialNumber = new Number(id.SerialNumber.Value.ToByteArray(), isUnsigned: false, isBigEndian: true);

        // Another authority's certificate may have the same number: only the key's digest in the request tells them apart.
        var key = SubjectPublicKeyInfo.GetInstance(Asn1Object.FromByteArray(_authority.AsCertificate.Key.SubjectPublicKeyInfo.ToArray()));
        var digest = Org.BouncyCastle.Security.DigestUtilities.CalculateDigest(id.HashAlgorithm.Algorithm, key.PublicKey.GetBytes());
        var answer = digest.AsSpan().SequenceEqual(id.IssuerKeyHash.GetOctets())
            ? _authority.Revoked.StatusOf(serialNumber)
            : new OcspAnswer(serialNumber, OcspStatus.Unknown);
        return answer with { RawCertId = id.GetDerEncoded() };
    }

    private OcspSpec Misbehave(OcspSpec spec)
    {
        var changed = Spec?.Invoke(spec) ?? spec;
        return Mode switch
        {
            ResponderMode.Stale => changed with
            {
                ProducedAt = changed.ProducedAt.AddDays(-30),
                Answers =
                    [.. changed.Answers.Select(
                        answer => answer with { ThisUpdate = answer.ThisUpdate.AddDays(-30), NextUpdate = answer.ThisUpdate.AddDays(-7) })],
            },
            ResponderMode.WrongSigner => changed with { SigningKey = _stranger },
            _ => changed,
        };
    }
}
