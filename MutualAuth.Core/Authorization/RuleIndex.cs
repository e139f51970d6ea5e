using System.Runtime.InteropServices;
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
    // DNS names by themselves: compared where they stand, so that no certificate's names are copied to look them up.
    private readonly Dictionary<string, Places> _byDnsName = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<RuleKey, Places> _byKey = [];
    private readonly RuleKeyKind[] _kinds;
    private readonly List<int> _others = [];

    internal RuleIndex(AuthorizationRule[] rules)
    {
        var kinds = new HashSet<RuleKeyKind>();
        for (var index = 0; index < rules.Length; index++)
        {
            if (rules[index].Key is not { } key)
            {
                _others.Add(index);
            }
            else if (key is { Kind: RuleKeyKind.Dns, Value: string name })
            {
                CollectionsMarshal.GetValueRefOrAddDefault(_byDnsName, name, out var isThere).Add(index, isFirst: !isThere);
            }
            else
            {
                kinds.Add(key.Kind);
                CollectionsMarshal.GetValueRefOrAddDefault(_byKey, key, out var isThere).Add(index, isFirst: !isThere);
            }
        }

        _kinds = [.. kinds];
    }

    /// <summary>
    /// The rules that have to be asked about this certificate, in their order: every other one asks for a name that it does not carry.
    /// </summary>
    internal Candidates CandidatesFor(Certificate certificate)
    {
        var found = new Candidates(_others);
        if (_byDnsName.Count > 0)
        {
            foreach (var name in certificate.DnsNames)
            {
                if (_byDnsName.TryGetValue(name, out var places))
                {
                    found.Add(places);
                }
            }
        }

        foreach (var kind in _kinds)
        {
            foreach (var value in NamesOf(certificate, kind))
            {
                if (_byKey.TryGetValue(new RuleKey(kind, value), out var places))
                {
                    found.Add(places);
                }
            }
        }

        return found;
    }

    private static IEnumerable<object> NamesOf(Certificate certificate, RuleKeyKind kind) => kind switch
    {
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

    /// <summary>The places, in the list of rules, of those that ask for one name; nearly always it is one.</summary>
    internal struct Places
    {
        internal int First { get; private set; }

        /// <summary>All of them, where they are several.</summary>
        internal List<int>? Several { get; private set; }

        internal void Add(int place, bool isFirst)
        {
            if (isFirst)
            {
                First = place;
                return;
            }

            (Several ??= [First]).Add(place);
        }
    }

    /// <summary>Places in the list of rules, each once and in ascending order.</summary>
    internal struct Candidates(List<int> others)
    {
        private List<int>? _list = others.Count > 0 ? others : null;
        private SortedSet<int>? _union;
        private int _only = -1;
        private int _next;

        public int Current { get; private set; }

        internal void Add(Places places)
        {
            // Most certificates have one name of the kind, and one rule asks for it.
            if (_list is null && _only < 0)
            {
                (_list, _only) = (places.Several, places.First);
                return;
            }

            _union ??= _list is null ? [_only] : [.. _list];
            if (places.Several is { } several)
            {
                _union.UnionWith(several);
            }
            else
            {
                _union.Add(places.First);
            }
        }

        public readonly Candidates GetEnumerator() => this with { _list = _union is null ? _list : [.. _union], _next = 0 };

        public bool MoveNext()
        {
            var count = _list?.Count ?? (_only < 0 ? 0 : 1);
            if (_next == count)
            {
                return false;
            }

            Current = _list is null ? _only : _list[_next];
            _next++;
            return true;
        }
    }
}
