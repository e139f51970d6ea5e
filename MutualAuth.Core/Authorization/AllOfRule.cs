using MutualAuth.Reloading;

namespace MutualAuth.Authorization;

/// <summary>Accepts a peer that every one of several rules accepts; the first objection is reported.</summary>
internal sealed class AllOfRule : AuthorizationRule
{
    private readonly AuthorizationRule[] _rules;
    private readonly AuthorizationRule[] _asking; // those of them that may ask for facts: most have none

    internal AllOfRule(AuthorizationRule[] rules) => (_rules, _asking) = (rules, Array.FindAll(rules, rule => rule.MayAskForFacts));

    public override string ToString() => _rules is [var only] ? only.ToString() : $"all of ({string.Join("; and ", _rules.AsEnumerable())})";

    internal override bool AcceptsServersOnly => _rules.Any(rule => rule.AcceptsServersOnly);

    internal override bool AsksForFacts => Array.Exists(_asking, rule => rule.AsksForFacts);

    internal override bool MayAskForFacts => _asking.Length > 0;

    internal override IEnumerable<string> FactSources() => _asking.SelectMany(rule => rule.FactSources());

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
