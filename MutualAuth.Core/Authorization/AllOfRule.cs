using MutualAuth.Reloading;

namespace MutualAuth.Authorization;

/// <summary>Accepts a peer that every one of several rules accepts; the first objection is reported.</summary>
internal sealed class AllOfRule : AuthorizationRule
{
    private readonly AuthorizationRule[] _rules;

    internal AllOfRule(AuthorizationRule[] rules) => _rules = rules;

    public override string ToString() => _rules is [var only] ? only.ToString() : $"all of ({string.Join("; and ", _rules.AsEnumerable())})";

    internal override bool AcceptsServersOnly => _rules.Any(rule => rule.AcceptsServersOnly);

    internal override bool AsksForFacts => Array.Exists(_rules, rule => rule.AsksForFacts);

    internal override IEnumerable<string> FactSources() => _rules.SelectMany(rule => rule.FactSources());

    internal override bool NamesEachPeer => Array.Exists(_rules, rule => rule.NamesEachPeer);

    internal override Rejection? Examine(CertificateContext context, out PeerName? name)
    {
        name = null;
        foreach (var rule in _rules)
        {
            if (rule.Examine(context, out var found) is { } objection)
            {
                name = null;
                return objection;
            }

            name ??= found;
        }

        return null;
    }

    internal override IEnumerable<IReloadable> Reloadables() => _rules.SelectMany(rule => rule.Reloadables());
}
