using System.Net;
using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Names;
using MutualAuth.Reloading;

namespace MutualAuth.Authorization;

/// <summary>Accepts the peer whose certificate contains one given name of one given kind.</summary>
internal sealed class NameRule : AuthorizationRule
{
    private const string SubjectAlternativeName = "RFC 5280 §4.2.1.6";

    private static string ServiceNameType => Asn1.Oids.ToDotted(Asn1.Oids.ServiceName);

    private readonly string _expected;
    private readonly string _rule;
    private readonly Func<Certificate, bool>? _matches;
    private readonly DnsName? _dnsName; // the name itself for the kind of which there are most: each is looked at once for each peer
    private readonly RuleKey _key;

    private NameRule(RuleKey key, string expected, string rule, Func<Certificate, bool> matches) =>
        (_key, _expected, _rule, _matches) = (key, expected, rule, matches);

    private NameRule(DnsName name)
    {
        (_key, _expected, _rule, _dnsName) = (new(RuleKeyKind.Dns, name.ToString()), $"the DNS name {name}", SubjectAlternativeName, name);
        Name = PeerName.Dns(name);
        Hint = certificate => certificate.DnsNames.Any(presented => DnsNameMatcher.Matches(presented, name))
            ? "The certificate covers the name only by a wildcard, which tells no single peer from another."
            : null;
    }

    internal override RuleKey? Key => _key;

    internal override bool NamesEachPeer => _key.Kind != RuleKeyKind.Issuer;

    /// <summary>The name that it asks for, where that names one peer and can be printed whole.</summary>
    private PeerName? Name { get; init; }

    private Func<CertificateContext, string> Presented { get; init; } = context => context.PresentedNames;

    private Func<Certificate, string?> Hint { get; init; } = _ => null;

    internal static NameRule OfDns(DnsName name) => new(name);

    internal static NameRule OfUri(string uri)
    {
        ArgumentNullException.ThrowIfNull(uri);
        if (!Uri.TryCreate(uri, UriKind.Absolute, out _) || uri.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            throw new FormatException(
                $"Not a URI: expected an absolute URI in ASCII without spaces, got {SafeText.Quote(uri)}. Give it exactly as the "
                    + "certificate carries it.");
        }

        return new(
            new(RuleKeyKind.Uri, uri),
            $"the URI {uri}",
            SubjectAlternativeName,
            certificate => certificate.Uris.Contains(uri, StringComparer.Ordinal))
        { Name = PeerName.TryUri(uri, out var name) ? name : null };
    }

    internal static NameRule OfEmail(EmailAddress address) =>
        new(
            new(RuleKeyKind.Email, address),
            $"the e-mail address {address}",
            SubjectAlternativeName,
            certificate => certificate.Mailboxes.Contains(address))
        {
            Name = PeerName.Email(address),
            Hint = certificate => certificate.Mailboxes.FirstOrDefault(presented => IsSimilar(presented, address)) is { } similar
                ? $"The certificate carries {SafeText.Quote(similar.ToString())}: before the at sign letter case counts. Write it as that does."
                : null,
        };

    internal static NameRule OfUserPrincipalName(PeerName name) =>
        new(new(RuleKeyKind.UserPrincipalName, name.Value), $"the user principal name {SafeText.Quote(name.Value)}", SubjectAlternativeName,
            certificate => certificate.UserPrincipalNames.Contains(name.Value, StringComparer.Ordinal))
        {
            Name = name,
            Hint = certificate => certificate.UserPrincipalNames.Contains(name.Value, StringComparer.OrdinalIgnoreCase)
                ? "The certificate carries the name in other letter case, which counts here. Write it as the certificate does."
                : null,
        };

    internal static NameRule OfOtherName(PeerName name) =>
        new(new(RuleKeyKind.OtherName, name.Value), $"the other name {SafeText.Quote(name.Value)}", SubjectAlternativeName,
            certificate => certificate.OtherNames.Any(other => $"{other.Type}={other.Text}" == name.Value))
        {
            Name = name,
            Hint = certificate =>
                certificate.OtherNames.FirstOrDefault(other => name.Value.StartsWith($"{other.Type}=", StringComparison.Ordinal)) is { } same
                    ? $"The certificate carries another name of this type; its text is {SafeText.Quote(same.Text)}."
                    : null,
        };

    internal static NameRule OfService(ServiceName name) =>
        new(new(RuleKeyKind.Service, name), $"the service {name}", "RFC 9525 §6.5",
            certificate => certificate.ServiceNames.Contains(name))
        {
            Name = PeerName.OtherName(ServiceNameType, name.ToString()),
            Hint = certificate => certificate.ServiceNames.Any(presented => presented.Domain.Equals(name.Domain))
                ? "The certificate is for another service of this domain."
                : certificate.DnsNames.Any(presented => DnsNameMatcher.MatchesExactly(presented, name.Domain))
                ? "The certificate carries the domain as a dNSName, which stands for a host and for no service; it needs an SRVName (RFC 4985)."
                : null,
        };

    internal static NameRule OfOrganization(OrganizationIdentifier identifier) =>
        new(new(RuleKeyKind.Organization, identifier), $"the organization identifier {SafeText.Quote(identifier.ToString())}",
            "ETSI EN 319 412-1 §5.1.4", certificate => identifier.Equals(certificate.Subject.OrganizationIdentifier))
        {
            Name = PeerName.OrganizationIdentifier(identifier),
            Presented = context => $"subject {PresentedNames.Subject(context.Certificate)}",
        };

    internal static NameRule OfAddress(IPAddress address) =>
        new(
            new(RuleKeyKind.Address, address),
            $"the IP address {address}",
            SubjectAlternativeName,
            certificate => certificate.IPAddresses.Contains(address))
        { Name = PeerName.IPAddress(address) };

    internal static NameRule OfSubject(DistinguishedName name) =>
        new(new(RuleKeyKind.Subject, name), $"the subject {name}", "RFC 5280 §7.1", certificate => certificate.Subject.Equals(name))
        {
            Name = PeerName.TrySubject(name, out var subject) ? subject : null,
            Presented = context => $"subject {PresentedNames.Subject(context.Certificate)}",
        };

    internal static NameRule OfIssuer(DistinguishedName name) =>
        new(new(RuleKeyKind.Issuer, name), $"the issuer {name}", "RFC 5280 §7.1", certificate => certificate.Issuer.Equals(name))
        {
            Presented = context => $"issuer {SafeText.Quote(context.Certificate.Issuer.ToString())}",
        };

    public override string ToString() => $"a certificate with {_expected}";

    private static bool IsSimilar(EmailAddress one, EmailAddress other) =>
        one.Domain.Equals(other.Domain) && one.LocalPart.Equals(other.LocalPart, StringComparison.OrdinalIgnoreCase);

    private static bool CarriesExactly(Certificate certificate, DnsName name)
    {
        foreach (var presented in certificate.DnsNames)
        {
            if (DnsNameMatcher.MatchesExactly(presented, name))
            {
                return true;
            }
        }

        return false;
    }

    internal override IEnumerable<IReloadable> Reloadables() => [];

    internal override Rejection? Examine(CertificateContext context, out PeerName? name)
    {
        var matches = _dnsName is { } dnsName ? CarriesExactly(context.Certificate, dnsName) : _matches!(context.Certificate);
        name = matches ? Name : null;
        return matches
            ? null
            : new Rejection(RejectionReason.NotAuthorized, _expected, Presented(context))
            {
                Element = "leaf certificate",
                Rule = _rule,
                Hint = Hint(context.Certificate),
            };
    }
}
