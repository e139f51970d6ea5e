using System.Collections.Immutable;
using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Certificates;
using MutualAuth.Names;
using MutualAuth.Paths;
using MutualAuth.Samples;

namespace MutualAuth.Tool;

/// <summary>The flags of verify that say which peers are accepted, and by which rules a path is judged.</summary>
internal sealed class PeerRules
{
    private readonly Option<string?> _name = new("--name")
    { HelpName = "NAME", Description = "The name that a server's certificate must have: the one that is dialled." };
    private readonly Option<string[]> _allowDns = PeerFlags.Many("--allow-dns", "NAME", "Accept a peer that has this DNS name.");
    private readonly Option<string[]> _allowUri = PeerFlags.Many("--allow-uri", "URI", "Accept a peer that has this URI.");
    private readonly Option<string[]> _allowSpiffe = PeerFlags.Many(
        "--allow-spiffe", "ID-or-TRUST-DOMAIN", "Accept this SPIFFE ID, or all members of this trust domain.");
    private readonly Option<string[]> _allowSubject = PeerFlags.Many(
        "--allow-subject", "DN", "Accept a peer that has this subject, in the form of RFC 4514.");
    private readonly Option<string[]> _allowUpn = PeerFlags.Many("--allow-upn", "NAME", "Accept a peer that has this user principal name.");
    private readonly Option<string[]> _allowEmail = PeerFlags.Many("--allow-email", "ADDRESS", "Accept a peer that has this mail address.");
    private readonly Option<string[]> _allowAddress = PeerFlags.Many("--allow-ip", "ADDRESS", "Accept a peer that has this IP address.");
    private readonly Option<string[]> _allowFile = PeerFlags.Many(
        "--allow-file", "FILE", "Accept every peer that a line of this file names, such as 'dns NAME' or 'spiffe ID'.");
    private readonly Option<bool> _allowAnyTrusted = new("--allow-any-trusted")
    { Description = "Accept every peer for which a trusted authority vouches. Without --name and another --allow that is what is asked." };

    private readonly Option<string> _profile = new("--profile")
    { Description = "The rules for paths. Default: mutual-tls.", DefaultValueFactory = _ => "mutual-tls" };
    private readonly Option<string?> _form = new("--form")
    { Description = "How strict the form of certificates must be. Default: the profile's." };
    private readonly Option<string?> _purpose = new("--purpose")
    { Description = "Whether the purpose must be stated, or must only not be contradicted. Default: the profile's." };
    private readonly Option<string[]> _keyUsage = PeerFlags.Many(
        "--key-usage", "NAME", "A key usage that the certificate must have, such as DigitalSignature; none demands none. Default: the profile's.");
    private readonly Option<int?> _maxIntermediates = new("--max-intermediates")
    { HelpName = "N", Description = "How many intermediates a path may have, 0 to 32. Default: 8." };

    internal PeerRules()
    {
        _profile.AcceptOnlyFromAmong("mutual-tls", "rfc5280", "web-pki", "cnsa-1.0", "cnsa-2.0");
        _form.AcceptOnlyFromAmong("tolerant", "rfc5280", "web-pki");
        _purpose.AcceptOnlyFromAmong("required", "unless-contradicted");
    }

    internal Symbol[] All =>
    [
        _name, _allowDns, _allowUri, _allowSpiffe, _allowSubject, _allowUpn, _allowEmail, _allowAddress, _allowFile, _allowAnyTrusted,
        _profile, _form, _purpose, _keyUsage, _maxIntermediates,
    ];

    /// <exception cref="FormatException">It is no name.</exception>
    internal ServerName? Name(ParseResult arguments) => arguments.GetValue(_name) is { } name ? ServerName.Parse(name) : null;

    internal AuthorizationRule Rule(ParseResult arguments)
    {
        AuthorizationRule[] rules =
        [
            .. arguments.GetRequiredValue(_allowDns).Select(Authorize.Dns),
            .. arguments.GetRequiredValue(_allowUri).Select(Authorize.Uri),
            .. arguments.GetRequiredValue(_allowSpiffe).Select(
                text => SpiffeId.TryParse(text, out var id) ? Authorize.SpiffeId(id) : Authorize.MemberOf(text)),
            .. arguments.GetRequiredValue(_allowSubject).Select(Authorize.Subject),
            .. arguments.GetRequiredValue(_allowUpn).Select(Authorize.UserPrincipalName),
            .. arguments.GetRequiredValue(_allowEmail).Select(Authorize.Email),
            .. arguments.GetRequiredValue(_allowAddress).Select(Authorize.IPAddress),
            .. arguments.GetRequiredValue(_allowFile).Select(
                path => Authorize.Parse(System.Text.Encoding.UTF8.GetString(Material.Read(path)).Split('\n'))),
            .. arguments.GetValue(_allowAnyTrusted) ? [Authorize.AnyTrustedPeer] : Array.Empty<AuthorizationRule>(),
        ];
        var hasName = arguments.GetValue(_name) is not null;
        return rules switch
        {
            [] => hasName ? Authorize.ServerName : Authorize.AnyTrustedPeer,
            _ => hasName ? Authorize.AllOf(Authorize.ServerName, Authorize.AnyOf(rules)) : Authorize.AnyOf(rules),
        };
    }

    internal ValidationProfile Profile(ParseResult arguments)
    {
        var profile = arguments.GetRequiredValue(_profile) switch
        {
            "rfc5280" => ValidationProfile.Rfc5280,
            "web-pki" => ValidationProfile.WebPki,
            "cnsa-1.0" => ValidationProfile.Cnsa1,
            "cnsa-2.0" => ValidationProfile.Cnsa2,
            _ => ValidationProfile.MutualTls,
        };
        return profile with
        {
            Form = arguments.GetValue(_form) switch
            {
                "tolerant" => CertificateForm.Tolerant,
                "rfc5280" => CertificateForm.Rfc5280,
                "web-pki" => CertificateForm.WebPki,
                _ => profile.Form,
            },
            Purpose = arguments.GetValue(_purpose) switch
            {
                "required" => PurposeRule.Required,
                "unless-contradicted" => PurposeRule.UnlessContradicted,
                _ => profile.Purpose,
            },
            LeafKeyUsage = arguments.GetRequiredValue(_keyUsage) is { Length: > 0 } names
                ? names.Aggregate(X509KeyUsageFlags.None, (usage, name) => usage | KeyUsage(name))
                : profile.LeafKeyUsage,
            MaxIntermediates = arguments.GetValue(_maxIntermediates) ?? profile.MaxIntermediates,
        };
    }

    private static X509KeyUsageFlags KeyUsage(string name) =>
        Enum.TryParse<X509KeyUsageFlags>(name, ignoreCase: true, out var usage) && !char.IsAsciiDigit(name[0])
            ? usage
            : throw new UsageException($"--key-usage: '{name}' is none of {string.Join(", ", Enum.GetNames<X509KeyUsageFlags>())}.");
}
