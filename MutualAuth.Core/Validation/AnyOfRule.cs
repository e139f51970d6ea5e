using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Names;

namespace MutualAuth.Validation;

/// <summary>Lets in whom at least one of several rules lets in; when none does, all of them are reported.</summary>
internal sealed class AnyOfRule : AuthorizationRule
{
    // A list of thousands must not become a log line of megabytes for each peer that is turned away.
    private const int MaxListed = 32;

    private readonly AuthorizationRule[] _rules;

    internal AnyOfRule(AuthorizationRule[] rules) => _rules = rules;

    public override string ToString() => _rules is [var only] ? only.ToString() : $"any of ({string.Join("; or ", _rules.AsEnumerable())})";

    internal override Rejection? Examine(CertificateContext context, out PeerName? name)
    {
        name = null;
        var objections = new Rejection[_rules.Length];
        for (var index = 0; index < _rules.Length; index++)
        {
            if (_rules[index].Examine(context, out name) is not { } objection)
            {
                return null;
            }

            objections[index] = objection;
        }

        return objections is [var only] ? only : Combine(objections);
    }

    internal override IEnumerable<IReloadable> Reloadables() => _rules.SelectMany(rule => rule.Reloadables());

    private static Rejection Combine(Rejection[] objections)
    {
        var expected = string.Join("; or ", objections.Take(MaxListed).Select(objection => objection.Expected));
        return new Rejection(
            ReasonOf(objections),
            objections.Length > MaxListed ? $"{expected}; or one of {objections.Length - MaxListed} more" : expected,
            string.Join("; ", objections.Select(objection => objection.Presented).Distinct().Take(MaxListed)))
        {
            Element = Shared(objections, objection => objection.Element),
            Rule = Shared(objections, objection => objection.Rule),
            Hint = objections.Select(objection => objection.Hint).FirstOrDefault(hint => hint is not null),
        };
    }

    // A rule that broke down might have let the peer in: the operator must hear of that rather than of the peer.
    private static RejectionReason ReasonOf(Rejection[] objections) =>
        objections.Any(objection => objection.Reason == RejectionReason.ValidatorFaulted) ? RejectionReason.ValidatorFaulted
        : objections.All(objection => objection.Reason == objections[0].Reason) ? objections[0].Reason
        : RejectionReason.NotAuthorized;

    private static string? Shared(Rejection[] objections, Func<Rejection, string?> fact) =>
        objections.All(objection => fact(objection) == fact(objections[0])) ? fact(objections[0]) : null;
}
