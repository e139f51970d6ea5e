using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Asn1;
using MutualAuth.Certificates;
using MutualAuth.Paths;
using MutualAuth.Revocation;

namespace MutualAuth.Ocsp;

/// <summary>
/// Decides whether a response answers a question, now and by an authorized responder (RFC 6960 §3.2, §4.2.2.2). Pure; never throws for what a
/// responder sends.
/// </summary>
/// <param name="nonce">What it must say of the nonce.</param>
/// <param name="clockSkew">How far the responder's clock may be ahead of ours.</param>
/// <param name="profile">Which keys and signatures are strong enough.</param>
internal sealed class OcspJudge(OcspNonce nonce, TimeSpan clockSkew, ValidationProfile profile)
{
    /// <param name="question">What was asked.</param>
    /// <param name="der">What came back.</param>
    /// <param name="at">The time for which the judgement holds.</param>
    /// <param name="responderLists">
    /// Where the certificates of delegated responders are looked up that do not say that they need not be; null for nowhere.
    /// </param>
    internal OcspVerdict Judge(OcspQuestion question, ReadOnlyMemory<byte> der, DateTimeOffset at, RevocationLists? responderLists)
    {
        try
        {
            var response = OcspReader.Read(der);
            return FlawOfSignature(question, response, at, responderLists) is { } forged ? OcspVerdict.None(forged)
                : RevocationIn(question, response, at) is { } revoked ? revoked
                : FlawOf(question, response, at) is { } flaw ? OcspVerdict.None(flaw)
                : Select(question, response, at);
        }
        catch (AsnContentException malformed)
        {
            return OcspVerdict.None(malformed.Message.Length > 0 && char.IsAsciiLetterLower(malformed.Message[0])
                ? $"an answer in which {malformed.Message}"
                : "an answer that is not DER");
        }
    }

    private string? FlawOfSignature(OcspQuestion question, OcspResponse response, DateTimeOffset at, RevocationLists? lists) =>
        KeyRules.FlawOf(response.Scheme, profile) is { } signature ? $"an answer {signature}"
        : FlawOfSigner(question, response, at, lists);

    /// <summary>
    /// An authorized responder that says revoked is believed, whatever else is wrong with the answer: its dates, its nonce, a reason that does not
    /// exist,
    /// a second word about the certificate. Only an answer that says good has to be without a flaw.
    /// </summary>
    private OcspVerdict? RevocationIn(OcspQuestion question, OcspResponse response, DateTimeOffset at)
    {
        foreach (var answer in response.Answers)
        {
            if (answer.Status == OcspStatus.Revoked && question.IsAbout(new DerReader(answer.CertId).ReadSequence()))
            {
                var isSound = FlawOf(question, response, at) is null && FlawOf(answer, response, at) is null;
                return new OcspVerdict(OcspStatus.Revoked, answer.Revocation, isSound ? UntilOf(answer, response) : null, answer.ThisUpdate, null);
            }
        }

        return null;
    }

    private string? FlawOf(OcspQuestion question, OcspResponse response, DateTimeOffset at) =>
        response.Flaw is { } flaw ? $"an answer in which {flaw}"
        : !response.Nonce.IsEmpty && !response.Nonce.Span.SequenceEqual(question.Nonce) ? "an answer to another request, by its nonce"
        : response.Nonce.IsEmpty && nonce == OcspNonce.Required ? "an answer without the nonce of the request"
        : response.ProducedAt > at + clockSkew ? "an answer that is made later"
        : null;

    /// <summary>The issuer may answer itself; otherwise a responder that it has authorized itself.</summary>
    private string? FlawOfSigner(OcspQuestion question, OcspResponse response, DateTimeOffset at, RevocationLists? lists)
    {
        var issuer = question.Issuer;
        if (IsNamed(response, issuer) && IsSignedBy(response, issuer))
        {
            return null;
        }

        string? flaw = null;
        foreach (var responder in response.Certificates)
        {
            if (!IsNamed(response, responder))
            {
                continue;
            }

            var found = FlawOfDelegate(responder, issuer, at, lists)
                ?? (IsSignedBy(response, responder) ? null : "an answer whose signature is not that of its responder");
            if (found is null)
            {
                return null;
            }

            flaw ??= found;
        }

        return flaw ?? "an answer that neither the issuer nor an authorized responder has signed";
    }

    private string? FlawOfDelegate(Certificate responder, Certificate issuer, DateTimeOffset at, RevocationLists? lists) =>
        !responder.Issuer.Equals(issuer.Subject) ? "a responder whom another authority has authorized"
        : !responder.Extensions.NamesPurpose(Oids.OcspSigning) ? "a responder whose certificate is not for signing answers (OCSPSigning)"
        : responder.KeyUsage is { } usage && !usage.HasFlag(X509KeyUsageFlags.DigitalSignature) ? "a responder whose key is not for signatures"
        : at < responder.NotBefore || at > responder.NotAfter ? "a responder whose certificate is not valid at this time"
        : !responder.Extensions.UnknownCritical.IsEmpty ? "a responder whose certificate has a critical extension that is not understood"
        : KeyRules.Examine(responder, PathPosition.Leaf, profile) is { } weak ? $"a responder with {weak.Presented}"
        : !issuer.PublicKey.Verify(responder.Scheme, responder.Signed.Span, responder.Signature.Span)
        ? "a responder whose certificate the issuer has not signed"
        : responder.Extensions.Has(KnownExtension.OcspNoCheck) ? null
        : IsCleared(responder, issuer, at, lists) ? null
        : "a responder whose own certificate may be revoked: it does not say ocsp-nocheck, and no revocation list speaks of it";

    private bool IsCleared(Certificate responder, Certificate issuer, DateTimeOffset at, RevocationLists? lists) =>
        lists is { IsChecked: true }
        && new RevocationCheck(responder, new RevocationPolicy { Lists = lists }, denyList: null, profile).Check(
            [responder, issuer], 0, pool: null, at) is null;

    private static bool IsNamed(OcspResponse response, Certificate responder) => response.ResponderName is { } name
        ? name.Equals(responder.Subject)
        : response.ResponderKeyId.Span.SequenceEqual(OcspQuestion.KeyIdOf(responder));

    private static bool IsSignedBy(OcspResponse response, Certificate responder) =>
        responder.PublicKey.Verify(response.Scheme, response.Signed.Span, response.Signature.Span);

    private OcspVerdict Select(OcspQuestion question, OcspResponse response, DateTimeOffset at)
    {
        OcspSingle? found = null;
        foreach (var answer in response.Answers)
        {
            if (!question.IsAbout(new DerReader(answer.CertId).ReadSequence()))
            {
                continue;
            }

            if (found is not null)
            {
                return OcspVerdict.None("an answer that speaks of the certificate twice");
            }

            found = answer;
        }

        return found is not { } single ? OcspVerdict.None("an answer that does not speak of the certificate")
            : FlawOf(single, response, at) is { } flaw ? OcspVerdict.None(flaw)
            : new OcspVerdict(single.Status, single.Revocation, UntilOf(single, response), single.ThisUpdate, null);
    }

    private string? FlawOf(OcspSingle single, OcspResponse response, DateTimeOffset at) =>
        single.Flaw is { } flaw ? $"an answer in which {flaw}"
        : single.ThisUpdate > at + clockSkew ? "an answer that holds later only"
        : at > single.NextUpdate ? "an answer that has expired"
        : single.NextUpdate is null && response.Nonce.IsEmpty ? "an answer that neither repeats the nonce nor says until when it holds"
        : null;

    /// <summary>An answer may be used again until the next one is due, and no longer than its signer's certificate.</summary>
    private static DateTimeOffset? UntilOf(OcspSingle single, OcspResponse response)
    {
        var until = single.NextUpdate;
        foreach (var certificate in response.Certificates)
        {
            until = certificate.NotAfter < until ? certificate.NotAfter : until;
        }

        return until;
    }
}
