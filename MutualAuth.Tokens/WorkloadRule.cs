using System.Collections.Immutable;
using MutualAuth.Names;

namespace MutualAuth.Tokens;

/// <summary>Which workloads are accepted by the SPIFFE ID in their token, as <see cref="Authorize"/> says it of certificates.</summary>
/// <remarks>Immutable. Safe for concurrent use.</remarks>
public sealed class WorkloadRule
{
    private readonly string _sentence;
    private readonly Func<SpiffeId, bool> _admits;

    private WorkloadRule(string sentence, Func<SpiffeId, bool> admits) => (_sentence, _admits) = (sentence, admits);

    /// <summary>The workload with this SPIFFE ID.</summary>
    /// <exception cref="FormatException"><paramref name="id"/> is not a workload's SPIFFE ID.</exception>
    public static WorkloadRule SpiffeId(string id) => SpiffeId(Names.SpiffeId.Parse(id));

    /// <inheritdoc cref="SpiffeId(string)"/>
    /// <exception cref="ArgumentNullException"><paramref name="id"/> is null.</exception>
    public static WorkloadRule SpiffeId(SpiffeId id)
    {
        ArgumentNullException.ThrowIfNull(id);
        return new($"the SPIFFE ID {id}", id.Equals);
    }

    /// <summary>Every workload of this trust domain.</summary>
    /// <exception cref="FormatException"><paramref name="trustDomain"/> is not the name of a trust domain.</exception>
    public static WorkloadRule MemberOf(string trustDomain) => MemberOf(TrustDomain.Parse(trustDomain));

    /// <inheritdoc cref="MemberOf(string)"/>
    /// <exception cref="ArgumentNullException"><paramref name="trustDomain"/> is null.</exception>
    public static WorkloadRule MemberOf(TrustDomain trustDomain)
    {
        ArgumentNullException.ThrowIfNull(trustDomain);
        return new($"a SPIFFE ID in the trust domain {trustDomain}", id => id.IsMemberOf(trustDomain));
    }

    /// <summary>A workload that one of the rules accepts.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="rules"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="rules"/> is empty, or holds a null.</exception>
    public static WorkloadRule AnyOf(params IEnumerable<WorkloadRule> rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        ImmutableArray<WorkloadRule> all = [.. rules];
        return all.IsEmpty || all.Contains(null!)
            ? throw new ArgumentException("Expected at least one rule and no null.", nameof(rules))
            : new(string.Join(" or ", all.Take(8)) + (all.Length > 8 ? ", …" : string.Empty), id => all.Any(rule => rule._admits(id)));
    }

    /// <summary>A workload for which <paramref name="predicate"/> is true.</summary>
    /// <param name="description">Says which workload that is, for logs and rejections.</param>
    /// <param name="predicate">
    /// Pure and quick; called from many threads at once, also about open connections. When it throws, the client is rejected.
    /// </param>
    /// <exception cref="ArgumentException"><paramref name="description"/> is empty or white space.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="predicate"/> is null.</exception>
    public static WorkloadRule Where(string description, Func<SpiffeId, bool> predicate)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(description);
        ArgumentNullException.ThrowIfNull(predicate);
        return new(description, predicate);
    }

    /// <summary>The rule in words.</summary>
    public override string ToString() => _sentence;

    internal bool Admits(SpiffeId id) => _admits(id);
}
