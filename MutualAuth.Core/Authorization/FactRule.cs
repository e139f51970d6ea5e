using System.Collections.Immutable;
using MutualAuth.Errors;
using MutualAuth.Evidence;
using MutualAuth.Reloading;

namespace MutualAuth.Authorization;

/// <summary>
/// Accepts a peer by what validators say of it. Where that is not known yet, it has no objection: the rule is asked again as soon as it is, before
/// anybody has the connection.
/// </summary>
internal sealed class FactRule : AuthorizationRule
{
    private readonly string? _source;
    private readonly string _description;
    private readonly Func<ImmutableArray<PeerFact>, bool> _predicate;

    /// <param name="source">The validator whose facts are asked for; null for any.</param>
    /// <param name="description">What is asked for, as the end of "a peer for which".</param>
    /// <param name="predicate">Whether that holds.</param>
    internal FactRule(string? source, string description, Func<ImmutableArray<PeerFact>, bool> predicate) =>
        (_source, _description, _predicate) = (source, description, predicate);

    public override string ToString() => $"a peer for which {_description}";

    internal override bool AsksForFacts => true;

    internal override IEnumerable<string> FactSources() => _source is null ? [] : [_source];

    internal override IEnumerable<IReloadable> Reloadables() => [];

    internal override Rejection? Examine(CertificateContext context, out PeerName? name)
    {
        name = null;
        if (context.Facts is not { } facts)
        {
            return null;
        }

        try
        {
            return _predicate(facts)
                ? null
                : new Rejection(
                    RejectionReason.NotAuthorized,
                    _description,
                    facts.IsEmpty ? "no facts" : $"facts that say otherwise or nothing ({string.Join(", ", facts.Take(16))})");
        }
        catch (Exception exception)
        {
            return new Rejection(RejectionReason.ValidatorFaulted, _description, $"{exception.GetType().Name}: {SafeText.Quote(exception.Message)}")
            {
                Hint = "The application's own condition threw; what cannot be judged is refused.",
            };
        }
    }
}
