namespace MutualAuth.Paths;

/// <summary>What is left of a <see cref="ValidationBudget"/> during one validation. Once something is spent, it stays so.</summary>
internal sealed class WorkBudget(ValidationBudget budget)
{
    private int _signatureChecks = budget.SignatureChecks;
    private int _candidates = budget.Candidates;
    private long _nameComparisons = budget.NameComparisons;

    /// <summary>The first exhausted budget, in words; null while none is exhausted.</summary>
    internal string? Exhausted { get; private set; }

    internal bool SpendSignatureChecks(int count)
    {
        _signatureChecks -= count;
        return _signatureChecks >= 0 || Exhaust($"{budget.SignatureChecks} signature checks");
    }

    internal bool SpendCandidate() => --_candidates >= 0 || Exhaust($"{budget.Candidates} issuers to try");

    internal bool SpendNameComparisons(long count)
    {
        _nameComparisons -= count;
        return _nameComparisons >= 0 || Exhaust($"{budget.NameComparisons} comparisons of names with name constraints");
    }

    private bool Exhaust(string what)
    {
        Exhausted ??= what;
        return false;
    }
}
