using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Names;
using MutualAuth.Reloading;

namespace MutualAuth.Authorization;

/// <summary>Accepts the server whose certificate contains the name that was dialled (RFC 9525).</summary>
/// <param name="wildcards">What a wildcard counts for.</param>
internal sealed class ServerNameRule(WildcardPolicy wildcards) : AuthorizationRule
{
    private const string CommonNameOid = "2.5.4.3";

    public override string ToString() =>
        "the server whose certificate carries the dialled name" + (wildcards.AreAccepted ? null : ", and not by a wildcard");

    internal override bool AcceptsServersOnly => true;

    internal override bool NamesEachPeer => true;

    internal override IEnumerable<IReloadable> Reloadables() => [];

    internal override Rejection? Examine(CertificateContext context, out PeerName? name)
    {
        name = null;
        if (context.Evidence.DialledName is not { } dialled)
        {
            return Mismatch("a dialled name", context) with
            {
                Hint = "No name was dialled, as is always so when the peer is a client; authorize it by a name of its own.",
            };
        }

        if (!PeerNames.Carries(context.Certificate, dialled, wildcards))
        {
            return !wildcards.AreAccepted && PeerNames.Carries(context.Certificate, dialled, WildcardPolicy.Default)
                ? WildcardRefused(dialled, context)
                : Mismatch(dialled.Dns is null ? $"the IP address {dialled}" : $"the DNS name {dialled}", context) with
                { Hint = HintFor(context.Certificate, dialled) };
        }

        name = PeerName.OfServer(dialled);
        return null;
    }

    private static Rejection WildcardRefused(ServerName dialled, CertificateContext context) => new(
        RejectionReason.WildcardRefused, $"the DNS name {dialled} itself", context.PresentedNames)
    {
        Element = "leaf certificate",
        Rule = $"{nameof(WildcardPolicy)}.{nameof(WildcardPolicy.Refused)}",
        Hint = $"The certificate covers the name by a wildcard only; issue one with {dialled} as a subject alternative name.",
    };

    private static Rejection Mismatch(string expected, CertificateContext context) =>
        new(RejectionReason.ServerNameMismatch, expected, context.PresentedNames) { Element = "leaf certificate", Rule = "RFC 9525 §6" };

    private static string? HintFor(Certificate certificate, ServerName dialled)
    {
        if (dialled.Address is not null && certificate.DnsNames.Contains(dialled.ToString(), StringComparer.Ordinal))
        {
            return "The certificate carries the address as a dNSName; it must be an iPAddress.";
        }

        if (dialled.Dns is { } host)
        {
            foreach (var presented in certificate.DnsNames)
            {
                if (HintFor(presented, host) is { } hint)
                {
                    return hint;
                }
            }
        }

        return HasCommonName(certificate.Subject, dialled.ToString())
            ? "Only the subject's common name is the dialled name, and that is never looked at; the certificate needs it as a "
                + "subject alternative name."
            : null;
    }

    /// <summary>What a name in the certificate lacks to be the dialled one, although it looks like it.</summary>
    private static string? HintFor(string presented, DnsName dialled)
    {
        var text = dialled.ToString();
        if (presented is [.. var undotted, '.'] && DnsNameMatcher.Matches(undotted, dialled))
        {
            return $"The certificate carries {SafeText.Quote(presented)}; a dNSName ends without a dot (RFC 5280 §4.2.1.6, RFC 1034 §3.5). Issue it "
                + "again without that.";
        }

        if (presented is not ['*', '.', .. var parent] || !DnsName.TryParse(parent, out var domain)
            || !text.EndsWith($".{domain}", StringComparison.Ordinal))
        {
            return null;
        }

        return text.AsSpan(0, text.Length - domain.ToString().Length - 1).Contains('.')
            ? $"The wildcard {SafeText.Quote(presented)} covers one label and no more (RFC 9525 §6.3); issue the certificate with {text} as well."
            : domain.ToString().Contains('.')
                ? $"The wildcard {SafeText.Quote(presented)} would cover what strangers register below a public suffix; issue the certificate with "
                    + $"{text} itself."
            : $"The wildcard {SafeText.Quote(presented)} would cover a whole top-level domain, and counts only with two labels or more behind it; "
                + $"issue the certificate with {text} itself.";
    }

    private static bool HasCommonName(DistinguishedName subject, string name)
    {
        try
        {
            return new X500DistinguishedName(subject.RawData.Span).EnumerateRelativeDistinguishedNames().Any(attribute =>
                !attribute.HasMultipleElements
                && attribute.GetSingleElementType().Value == CommonNameOid
                && string.Equals(attribute.GetSingleElementValue(), name, StringComparison.OrdinalIgnoreCase));
        }
        catch (CryptographicException)
        {
            // Only a hint is lost.
            return false;
        }
    }
}
