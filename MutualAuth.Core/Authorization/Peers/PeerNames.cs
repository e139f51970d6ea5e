using MutualAuth.Certificates;
using MutualAuth.Names;

namespace MutualAuth.Authorization;

/// <summary>Which of the names in a certificate are names, and by which of them its holder is called.</summary>
internal static class PeerNames
{
    private static readonly string s_userPrincipalNameType = Asn1.Oids.ToDotted(Asn1.Oids.UserPrincipalName);

    private static readonly string s_mailboxType = Asn1.Oids.ToDotted(Asn1.Oids.SmtpUtf8Mailbox);

    /// <summary>The name of an accepted peer.</summary>
    /// <param name="context">The peer.</param>
    /// <param name="admittedAs">The name by which the authorization rule accepted it, if any.</param>
    internal static PeerName Of(CertificateContext context, PeerName? admittedAs) =>
        context.Evidence.DialledName is { } dialled && Carries(context.Certificate, dialled, WildcardPolicy.Default)
            ? PeerName.OfServer(dialled)
        : admittedAs ?? Of(context.Certificate);

    /// <summary>Whether the certificate contains the name that was dialled (RFC 9525 §6).</summary>
    internal static bool Carries(Certificate certificate, ServerName dialled, WildcardPolicy wildcards)
    {
        if (dialled.Dns is not { } name)
        {
            return certificate.IPAddresses.Contains(dialled.Address!);
        }

        foreach (var presented in certificate.DnsNames)
        {
            if (DnsNameMatcher.Matches(presented, name, wildcards))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What a certificate calls its holder, where no rule has asked for a name.</summary>
    internal static PeerName Of(Certificate certificate) => AllOf(certificate).First();

    /// <summary>
    /// Every name in the certificate that is one, the best first; it ends with the certificate itself, so that every peer has a name.
    /// </summary>
    /// <remarks>
    /// A text that does not have the form of its kind is not a name: only the syntax of its kind keeps it apart from the others. A URI of the scheme
    /// <c>spiffe</c> that is no valid SVID's is left out, so that it is not mistaken for a proven SPIFFE ID.
    /// </remarks>
    internal static IEnumerable<PeerName> AllOf(Certificate certificate)
    {
        if (SpiffeSvid.IdOf(certificate) is { } id)
        {
            yield return PeerName.SpiffeId(id);
        }

        foreach (var text in certificate.DnsNames)
        {
            if (PeerName.TryDns(text, out var name))
            {
                yield return name;
            }
        }

        foreach (var mailbox in certificate.Mailboxes)
        {
            yield return PeerName.Email(mailbox);
        }

        foreach (var text in certificate.Uris)
        {
            if (!text.StartsWith("spiffe:", StringComparison.OrdinalIgnoreCase) && PeerName.TryUri(text, out var name))
            {
                yield return name;
            }
        }

        foreach (var address in certificate.IPAddresses)
        {
            yield return PeerName.IPAddress(address);
        }

        foreach (var text in certificate.UserPrincipalNames)
        {
            if (PeerName.TryUserPrincipalName(text, out var name))
            {
                yield return name;
            }
        }

        if (PeerName.TrySubject(certificate.Subject, out var subject))
        {
            yield return subject;
        }

        if (certificate.Subject.OrganizationIdentifier is { } organization)
        {
            yield return PeerName.OrganizationIdentifier(organization);
        }

        foreach (var other in certificate.OtherNames)
        {
            if (other.Type != s_userPrincipalNameType && other.Type != s_mailboxType && PeerName.TryOtherName(other.Type, other.Text, out var name))
            {
                yield return name;
            }
        }

        yield return PeerName.Certificate(certificate.Thumbprint);
    }
}
