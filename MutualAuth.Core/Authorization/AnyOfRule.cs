using MutualAuth.Reloading;

namespace MutualAuth.Authorization;

/// <summary>Accepts a peer that at least one of several rules accepts; when none does, all objections are reported.</summary>
internal sealed class AnyOfRule : AuthorizationRule
{
    // A list of thousands must not become a log line of megabytes for each rejected peer.
    private const int MaxListed = 32;

    private readonly AuthorizationRule[] _rules;
    private readonly AuthorizationRule[] _asking; // those of them that may ask for facts: most have none
    private readonly RuleIndex _index;

    internal AnyOfRule(AuthorizationRule[] rules) =>
        (_rules, _index, _asking) = (rules, new RuleIndex(rules), Array.FindAll(rules, rule => rule.MayAskForFacts));

    public override string ToString()
    {
        if (_rules is [var only])
        {
            return only.ToString();
        }

        var listed = string.Join("; or ", _rules.Take(MaxListed));
        return _rules.Length > MaxListed ? $"any of ({listed}; or one of {_rules.Length - MaxListed} more)" : $"any of ({listed})";
    }

    internal override bool AcceptsServersOnly => Array.TrueForAll(_rules, rule => rule.AcceptsServersOnly);

    internal override bool AsksForFacts => Array.Exists(_asking, rule => rule.AsksForFacts);

    internal override bool MayAskForFacts => _asking.Length > 0;

    internal override IEnumerable<string> FactSources() => _asking.SelectMany(rule => rule.FactSources());

    internal override bool NamesEachPeer => Array.TrueForAll(_rules, rule => rule.NamesEachPeer);

    internal override Rejection? Examine(CertificateContext context, out PeerName? name)
    {
        name = null;
        if (_rules is [var only])
        {
            return only.Examine(context, out name);
        }

        // Of thousands of names only those in the certificate are evaluated, in order: the first rule that accepts the peer names it.
        SortedDictionary<int, Rejection>? objections = null;
        foreach (var index in _index.CandidatesFor(context.Certificate))
        {
            if (_rules[index].Examine(context, out name) is not { } objection)
            {
                return null;
            }

            (objections ??= []).Add(index, objection);
        }

        return Combine(objections ?? [], context);
    }

    internal override IEnumerable<IReloadable> Reloadables() => _rules.SelectMany(rule => rule.Reloadables());

    /// <summary>
    /// The first of the objections in the words of their rules; one that was passed over would have said no more than that its name is not there.
    /// </summary>
    private Rejection Combine(SortedDictionary<int, Rejection> found, CertificateContext context)
    {
        for (var index = 0; index < _rules.Length && index < MaxListed; index++)
        {
            if (!found.ContainsKey(index))
            {
                found.Add(
                    index,
                    _rules[index].Examine(context)
                        ?? throw new InvalidOperationException("A rule accepted a peer whose certificate does not contain its name."));
            }
        }

        List<Rejection> objections = [.. found.Values];
        var expected = string.Join("; or ", objections.Take(MaxListed).Select(objection => objection.Expected));
        return new Rejection(
            ReasonOf(objections),
            _rules.Length > MaxListed ? $"{expected}; or one of {_rules.Length - MaxListed} more" : expected,
            string.Join("; ", objections.Select(objection => objection.Presented).Distinct().Take(MaxListed)))
        {
            Element = Shared(objections, objection => objection.Element),
            Rule = Shared(objections, objection => objection.Rule),
            Hint = objections.Select(objection => objection.Hint).FirstOrDefault(hint => hint is not null),
        };
    }

    // A rule that threw might have accepted the peer: report the fault rather than the peer's rejection.
    private static RejectionReason ReasonOf(List<Rejection> objections) =>
        objections.Any(objection => objection.Reason == RejectionReason.ValidatorFaulted) ? RejectionReason.ValidatorFaulted
        : objections.All(objection => objection.Reason == objections[0].Reason) ? objections[0].Reason
        : RejectionReason.NotAuthorized;

    private static string? Shared(List<Rejection> objections, Func<Rejection, string?> fact) =>
        objections.All(objection => fact(objection) == fact(objections[0])) ? fact(objections[0]) : null;
}
