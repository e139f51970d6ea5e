using MutualAuth.Certificates;

namespace MutualAuth.Authorization;

/// <summary>The kinds of names by which rules are found.</summary>
internal enum RuleKeyKind
{
    Dns = 1,
    Uri,
    Email,
    Address,
    UserPrincipalName,
    Subject,
    Issuer,
    SpiffeId,
    TrustDomain,
    OtherName,
    Service,
    Organization,
}

/// <summary>The one name without which a rule rejects every peer; two are equal when the rule would say that the names are.</summary>
internal readonly record struct RuleKey(RuleKeyKind Kind, object Value);

/// <summary>
/// Finds, among many rules, those that may accept a certificate: the work grows with the names of the certificate, and not with the rules. Immutable.
/// </summary>
internal sealed class RuleIndex
{
    private readonly Dictionary<RuleKey, List<int>> _byKey = [];
    private readonly HashSet<RuleKeyKind> _kinds = [];
    private readonly List<int> _others = [];

    internal RuleIndex(AuthorizationRule[] rules)
    {
        for (var index = 0; index < rules.Length; index++)
        {
            if (rules[index].Key is not { } key)
            {
                _others.Add(index);
                continue;
            }

            _kinds.Add(key.Kind);
            (_byKey.TryGetValue(key, out var same) ? same : _byKey[key] = []).Add(index);
        }
    }

    /// <summary>
    /// The rules that have to be asked about this certificate, in their order: every other one asks for a name that it does not carry.
    /// </summary>
    internal IEnumerable<int> CandidatesFor(Certificate certificate)
    {
        // Most certificates have one name of the kind, and one rule asks for it.
        var first = _others;
        SortedSet<int>? several = null;
        foreach (var kind in _kinds)
        {
            foreach (var value in NamesOf(certificate, kind))
            {
                if (!_byKey.TryGetValue(new RuleKey(kind, value), out var rules))
                {
                    continue;
                }

                if (first.Count == 0)
                {
                    first = rules;
                }
                else
                {
                    (several ??= [.. first]).UnionWith(rules);
                }
            }
        }

        return several ?? (IEnumerable<int>)first;
    }

    private static IEnumerable<object> NamesOf(Certificate certificate, RuleKeyKind kind) => kind switch
    {
        RuleKeyKind.Dns => certificate.DnsNames.Select(name => name.ToUpperInvariant()),
        RuleKeyKind.Uri => certificate.Uris,
        RuleKeyKind.Email => certificate.Mailboxes,
        RuleKeyKind.Address => certificate.IPAddresses,
        RuleKeyKind.UserPrincipalName => certificate.UserPrincipalNames,
        RuleKeyKind.OtherName => certificate.OtherNames.Select(name => $"{name.Type}={name.Text}"),
        RuleKeyKind.Service => certificate.ServiceNames,
        RuleKeyKind.Organization => certificate.Subject.OrganizationIdentifier is { } organization ? [organization] : [],
        RuleKeyKind.Subject => [certificate.Subject],
        RuleKeyKind.Issuer => [certificate.Issuer],
        RuleKeyKind.SpiffeId => SpiffeSvid.IdOf(certificate) is { } id ? [id] : [],
        _ => SpiffeSvid.IdOf(certificate) is { } member ? [member.TrustDomain] : [],
    };
}
