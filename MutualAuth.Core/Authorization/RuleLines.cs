using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Names;

namespace MutualAuth.Authorization;

/// <summary>The grammar of authorization rules as text: one name in a line, or several demands with <c>&amp;&amp;</c> between them.</summary>
internal static class RuleLines
{
    internal const string None = "no line is a rule. Write at least one; the line \"nobody\" rejects every peer.";

    private const string And = " && ";
    private const int MaxDemands = 16;

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
    /// <exception cref="ArgumentException">A name in it is empty.</exception>
    internal static AuthorizationRule Read(string line)
    {
        // At the ends too, so that a demand which is missing is a mistake and no other name.
        var demands = $" {line} ".Split(And);
        return demands.Length switch
        {
            1 => ReadDemand(line),
            <= MaxDemands => Authorize.AllOf(demands.Select(demand => ReadDemand(demand.Trim()))),
            _ => throw new FormatException($"A line has at most {MaxDemands} demands; this one has {demands.Length}."),
        };
    }

    private static AuthorizationRule ReadDemand(string line) => line.Split(' ', 2, StringSplitOptions.TrimEntries) switch
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
        ["qualified", var type] => ReadQualified(type),
        ["policy", var policy] => Authorize.Policy(policy),
        ["subject", var name] => Authorize.Subject(name),
        ["issuer", var name] => Authorize.Issuer(name),
        ["any-trusted"] => Authorize.AnyTrustedPeer,
        ["nobody"] => Authorize.Nobody,
        _ => throw new FormatException(
            $"Not a rule: {SafeText.Quote(line)}. Write dns NAME, uri URI, spiffe ID, spiffe TRUST-DOMAIN, email ADDRESS, upn NAME, other TYPE TEXT, "
            + "ip ADDRESS, service _SERVICE.DOMAIN, organization IDENTIFIER, psd2-role ROLE, qualified TYPE, policy OID, subject DN, issuer DN, "
            + "any-trusted or nobody, or several of them with && in between."),
    };

    private static AuthorizationRule ReadQualified(string text)
    {
        var (type, isInDevice) = text.Split(' ', 2, StringSplitOptions.TrimEntries) switch
        {
            [var alone] => (alone, false),
            [var first, "qscd"] => (first, true),
            _ => (text, false),
        };
        return Authorize.Qualified(
            type switch
            {
                "web" => QcType.Website,
                "eseal" => QcType.ElectronicSeal,
                "esign" => QcType.ElectronicSignature,
                _ => throw new FormatException(
                    $"Not a type of qualified certificate: {SafeText.Quote(text)}. Write web, eseal or esign, and qscd behind it where "
                        + "the key must be in a qualified device."),
            },
            isInDevice);
    }
}
