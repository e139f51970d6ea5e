using System.Security.Cryptography.X509Certificates;
using MutualAuth.Certificates;
using MutualAuth.Errors;

namespace MutualAuth.Paths;

/// <summary>What RFC 5280 requires of conforming authorities although path validation does not depend on it (§4.1, §4.2).</summary>
internal static class FormRules
{
    private const int MaxSerialLength = 20;

    // RFC 5280 §4.2.1.1, .2, .6 (subject not empty), .13 is SHOULD, §4.2.2.1, §4.2.2.2, §4.2.1.15.
    private const KnownExtension NeverCritical = KnownExtension.AuthorityKeyIdentifier | KnownExtension.SubjectKeyIdentifier
        | KnownExtension.AuthorityInformationAccess | KnownExtension.SubjectInformationAccess | KnownExtension.FreshestCrl;

    private const X509KeyUsageFlags NotForSigning = X509KeyUsageFlags.KeyEncipherment | X509KeyUsageFlags.DataEncipherment
        | X509KeyUsageFlags.KeyAgreement | X509KeyUsageFlags.EncipherOnly | X509KeyUsageFlags.DecipherOnly;

    // §4.2.1.10, .11, .14.
    private const KnownExtension AlwaysCritical = KnownExtension.PolicyConstraints | KnownExtension.InhibitAnyPolicy;

    internal static Rejection? Examine(Certificate certificate, PathPosition position, ValidationProfile profile, PeerRole role)
    {
        if (profile.Form != CertificateForm.Tolerant && certificate.Slip is { } slip)
        {
            return PathRejection.Make(
                RejectionReason.CertificateMalformed, certificate, position, "RFC 5280 §4.1, X.690 §11", "an encoding that is DER to the letter",
                $"one in which {slip}",
                "Have its authority issue it again; ValidationProfile.MutualTls accepts encodings that do not change the meaning.")
                with
            { Digest = certificate.Thumbprint };
        }

        var problem = ProblemOfAny(certificate);
        if (problem is null && profile.Form != CertificateForm.Tolerant)
        {
            problem = ProblemOfForm(certificate, position)
                ?? (profile.Form == CertificateForm.WebPki
                    ? WebPkiRules.Problem(certificate, position, role)
                    : NonCriticalNameConstraints(certificate));
        }

        return problem is null
            ? null
            : PathRejection.Make(
                RejectionReason.ProfileViolated, certificate, position, problem.Value.Rule, problem.Value.Expected, problem.Value.Presented,
                profile.Form == CertificateForm.Tolerant
                    ? null
                    : "Have its authority issue it again; ValidationProfile.MutualTls accepts deviations of form.");
    }

    /// <summary>What every profile rejects.</summary>
    private static FormProblem? ProblemOfAny(Certificate certificate) =>
        certificate.Issuer.IsEmpty ? new("RFC 5280 §4.1.2.4", "an issuer with a name", "an empty issuer")
        : certificate.Subject.IsEmpty && certificate.Extensions.SubjectNames.IsEmpty
        ? new("RFC 5280 §4.1.2.6", "a subject or an alternative name", "neither")
        : null;

    private static FormProblem? ProblemOfForm(Certificate certificate, PathPosition position)
    {
        var extensions = certificate.Extensions;
        var isAnchor = position == PathPosition.Anchor;
        return (isAnchor ? null : ProblemOfSerial(certificate.Serial.Span))
            ?? ProblemOfKeyIds(certificate, position)
            ?? ProblemOfNames(certificate)
            ?? ((extensions.Critical & NeverCritical) != 0
                ? new("RFC 5280 §4.2", "information that is not critical", $"{extensions.Critical & NeverCritical} marked critical")
                : (extensions.Present & AlwaysCritical & ~extensions.Critical) != 0
                ? new(
                    "RFC 5280 §4.2.1.11, §4.2.1.14",
                    "policy constraints that are critical",
                    $"{extensions.Present & AlwaysCritical & ~extensions.Critical} not marked critical")
                : extensions.Has(KnownExtension.NoRevocationAvailable) && !extensions.HasNoRevocationAvailable
                ? new(
                    "RFC 9608 §2",
                    "noRevAvail in no authority's certificate, and beside neither a distribution point nor a responder",
                    "noRevAvail where it may not be")
                : extensions.IsAuthority && !extensions.IsCritical(KnownExtension.BasicConstraints)
                ? new("RFC 5280 §4.2.1.9", "basic constraints that are critical in an authority's certificate", "not marked critical")
                : extensions.IsAuthority && !extensions.Has(KnownExtension.KeyUsage)
                ? new("RFC 5280 §4.2.1.3", "a key usage in an authority's certificate", "none")
                : certificate.PublicKey.MLDsa is { } set && certificate.KeyUsage is { } usage && (usage & NotForSigning) != 0
                ? new("RFC 9881 §5", $"an {set.Name} key whose usages are all for signatures", $"{usage & NotForSigning}")
                : (FormProblem?)null);
    }

    private static FormProblem? ProblemOfSerial(ReadOnlySpan<byte> serial)
    {
        // One more octet is the sign octet of a number whose highest bit is set.
        var magnitude = serial[0] == 0 ? serial[1..] : serial;
        var broken =
            serial[0] >= 0x80 ? "a negative one" : magnitude.IsEmpty ? "zero" : serial.Length > MaxSerialLength ? "one of more than 20 octets" : null;
        return broken is null ? null : new("RFC 5280 §4.1.2.2", "a positive serial number of at most 20 octets", broken);
    }

    private static FormProblem? ProblemOfKeyIds(Certificate certificate, PathPosition position)
    {
        var extensions = certificate.Extensions;
        if (extensions.IsAuthority && extensions.SubjectKeyId.IsEmpty)
        {
            return new("RFC 5280 §4.2.1.2", "a subject key identifier in an authority's certificate", "none");
        }

        // §4.2.1.1: only an authority's self-signed certificate may omit it.
        return extensions.AuthorityKeyId.KeyId.IsEmpty
            && !(position == PathPosition.Anchor && !extensions.Has(KnownExtension.AuthorityKeyIdentifier) && IsSelfSigned(certificate))
            ? new("RFC 5280 §4.2.1.1", "an authority key identifier with a key identifier", "none")
            : null;
    }

    private static bool IsSelfSigned(Certificate anchor) =>
        anchor.IsSelfIssued || anchor.PublicKey.Verify(anchor.Scheme, anchor.Signed.Span, anchor.Signature.Span);

    private static FormProblem? ProblemOfNames(Certificate certificate)
    {
        var extensions = certificate.Extensions;
        if (certificate.Subject.IsEmpty && !extensions.IsCritical(KnownExtension.SubjectAltName))
        {
            return new("RFC 5280 §4.2.1.6", "a critical subject alternative name where the subject is empty", "one that is not critical");
        }

        foreach (var name in extensions.SubjectNames)
        {
            if (!NameSyntax.IsWellFormed(name))
            {
                return new("RFC 5280 §4.2.1.6", "alternative names in the syntax of their form", $"{name.Form} {SafeText.Quote(name.Text)}");
            }
        }

        return null;
    }

    /// <summary>RFC 5280 §4.2.1.10 requires the extension to be critical; the Baseline Requirements allow both.</summary>
    private static FormProblem? NonCriticalNameConstraints(Certificate certificate) =>
        certificate.Extensions.Has(KnownExtension.NameConstraints) && !certificate.Extensions.IsCritical(KnownExtension.NameConstraints)
            ? new("RFC 5280 §4.2.1.10", "name constraints that are critical", "not marked critical")
            : null;
}

/// <summary>A rule of form that a certificate breaks.</summary>
internal readonly record struct FormProblem(string Rule, string Expected, string Presented);
