using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Names;

namespace MutualAuth.Authorization;

/// <summary>The grammar of authorization rules as text: one name in a line.</summary>
internal static class RuleLines
{
    internal const string None = "no line is a rule. Write at least one; the line \"nobody\" rejects every peer.";

    private const string NobodyAmongOthers = "the line \"nobody\" stands beside other rules. Remove it, or all the others.";

    /// <summary>The rule that accepts whom one of these accepts; null when there is none.</summary>
    /// <param name="rules">The rules, one for each line.</param>
    /// <param name="problem">What is wrong with them together; null when nothing is.</param>
    internal static AuthorizationRule? Combine(List<AuthorizationRule> rules, out string? problem)
    {
        problem = rules.Count == 0 ? None : rules.Count > 1 && rules.Contains(Authorize.Nobody) ? NobodyAmongOthers : null;
        return problem is null ? Authorize.AnyOf(rules) : null;
    }

    /// <exception cref="FormatException">The line is not a rule.</exception>
    internal static AuthorizationRule Read(string line) => line.Split(' ', 2, StringSplitOptions.TrimEntries) switch
    {
        ["dns", var name] => Authorize.Dns(name),
        ["uri", var uri] => Authorize.Uri(uri),
        ["spiffe", var text] => SpiffeId.TryParse(text, out var id) ? Authorize.SpiffeId(id) : Authorize.MemberOf(text),
        ["email", var address] => Authorize.Email(address),
        ["upn", var name] => Authorize.UserPrincipalName(name),
        ["other", var other] when other.Split(' ', 2, StringSplitOptions.TrimEntries) is [var type, var text] => Authorize.OtherName(type, text),
        ["ip", var address] => Authorize.IPAddress(address),
        ["service", var name] => Authorize.Service(name),
        ["organization", var identifier] => Authorize.OrganizationIdentifier(identifier),
        ["psd2-role", var role] => Authorize.Psd2Role(Psd2Roles.Of(role)
            ?? throw new FormatException($"Not a role: {SafeText.Quote(role)}. Write PSP_AS, PSP_PI, PSP_AI or PSP_IC.")),
        ["subject", var name] => Authorize.Subject(name),
        ["issuer", var name] => Authorize.Issuer(name),
        ["any-trusted"] => Authorize.AnyTrustedPeer,
        ["nobody"] => Authorize.Nobody,
        _ => throw new FormatException(
            $"Not a rule: {SafeText.Quote(line)}. Write dns NAME, uri URI, spiffe ID, spiffe TRUST-DOMAIN, email ADDRESS, upn NAME, other TYPE TEXT, "
            + "ip ADDRESS, service _SERVICE.DOMAIN, organization IDENTIFIER, psd2-role ROLE, subject DN, issuer DN, any-trusted or nobody."),
    };
}
