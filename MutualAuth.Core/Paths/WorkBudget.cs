namespace MutualAuth.Paths;

/// <summary>The rest of a <see cref="ValidationBudget"/> during one validation. Units that were spent are not returned.</summary>
/// <remarks>A copy is another budget: it is handed on by reference.</remarks>
internal struct WorkBudget(ValidationBudget budget)
{
    private int _signatureChecks = budget.SignatureChecks;
    private int _candidates = budget.Candidates;
    private long _nameComparisons = budget.NameComparisons;

    /// <summary>The limit that was exhausted first, as text; null while no limit is exhausted.</summary>
    internal string? Exhausted { get; private set; }

    internal bool SpendSignatureChecks(int count)
    {
        _signatureChecks -= count;
        return IsLeft(_signatureChecks, budget.SignatureChecks, "signature checks");
    }

    internal bool SpendCandidate() => IsLeft(--_candidates, budget.Candidates, "issuers to try");

    internal bool SpendNameComparisons(long count)
    {
        _nameComparisons -= count;
        return IsLeft(_nameComparisons, budget.NameComparisons, "comparisons of names with name constraints");
    }

    private bool IsLeft(long rest, int limit, string what)
    {
        if (rest < 0)
        {
            Exhausted ??= $"{limit} {what}";
        }

        return rest >= 0;
    }
}
