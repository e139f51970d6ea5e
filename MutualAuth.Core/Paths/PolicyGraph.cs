using System.Collections.Immutable;

namespace MutualAuth.Paths;

/// <summary>
/// The valid_policy_graph of RFC 9618 §5: one node for each policy at each depth, so that it cannot explode as the tree of RFC 5280 could.
/// </summary>
/// <remarks>Pruning is not carried out: a node counts when a node at the last depth descends from it, which is checked at the end.</remarks>
internal sealed class PolicyGraph
{
    private readonly string _anyPolicy;
    private Dictionary<string, Node> _current;
    private Dictionary<string, Node> _above = [];

    internal PolicyGraph(string anyPolicy)
    {
        _anyPolicy = anyPolicy;
        _current = new(StringComparer.Ordinal) { [anyPolicy] = new Node(anyPolicy, []) };
    }

    /// <summary>Whether the graph is NULL in the terms of the RFC.</summary>
    internal bool IsEmpty => _current.Count == 0;

    /// <summary>§6.1.3 (e).</summary>
    internal void Clear() => _current = [];

    /// <summary>§6.1.3 (d): adds the depth of a certificate with these policies.</summary>
    internal void Descend(ImmutableArray<string> policies, bool anyPolicyCounts)
    {
        var expectedBy = new Dictionary<string, List<Node>>(StringComparer.Ordinal);
        foreach (var node in _current.Values)
        {
            foreach (var expected in node.Expected)
            {
                (expectedBy.TryGetValue(expected, out var nodes) ? nodes : expectedBy[expected] = []).Add(node);
            }
        }

        var next = new Dictionary<string, Node>(StringComparer.Ordinal);
        foreach (var policy in policies)
        {
            if (policy == _anyPolicy)
            {
                continue;
            }

            if (expectedBy.TryGetValue(policy, out var parents))
            {
                next[policy] = new Node(policy, parents);
            }
            else if (_current.TryGetValue(_anyPolicy, out var any))
            {
                next[policy] = new Node(policy, [any]);
            }
        }

        if (anyPolicyCounts && policies.Contains(_anyPolicy))
        {
            foreach (var (expected, parents) in expectedBy)
            {
                next.TryAdd(expected, new Node(expected, parents));
            }
        }

        _above = _current;
        _current = next;
    }

    /// <summary>§6.1.4 (b): the policies of the authority's domain continue under the names of the domain below.</summary>
    internal void Map(ImmutableArray<(string IssuerDomain, string SubjectDomain)> mappings, bool isAllowed)
    {
        foreach (var mapped in mappings.GroupBy(mapping => mapping.IssuerDomain, mapping => mapping.SubjectDomain, StringComparer.Ordinal))
        {
            if (!isAllowed)
            {
                _current.Remove(mapped.Key);
            }
            else if (_current.TryGetValue(mapped.Key, out var node))
            {
                node.Expected = mapped.ToHashSet(StringComparer.Ordinal);
            }
            else if (_current.ContainsKey(_anyPolicy) && _above.TryGetValue(_anyPolicy, out var any))
            {
                _current[mapped.Key] = new Node(mapped.Key, [any]) { Expected = mapped.ToHashSet(StringComparer.Ordinal) };
            }
        }
    }

    /// <summary>
    /// The policies that the authorities allow, as the topmost of them know them (RFC 9618 §5, authority_constrained_policy_set): those of the
    /// nodes right below an anyPolicy, as far as the last certificate descends from them, and anyPolicy itself where that certificate has it.
    /// </summary>
    internal HashSet<string> AuthorityConstrained()
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        if (_current.ContainsKey(_anyPolicy))
        {
            found.Add(_anyPolicy);
        }

        var visited = new HashSet<Node>(_current.Values);
        var pending = new Queue<Node>(_current.Values);
        while (pending.TryDequeue(out var node))
        {
            foreach (var parent in node.Parents)
            {
                if (parent.Policy == _anyPolicy && node.Policy != _anyPolicy)
                {
                    found.Add(node.Policy);
                }

                if (visited.Add(parent))
                {
                    pending.Enqueue(parent);
                }
            }
        }

        return found;
    }

    private sealed class Node(string policy, List<Node> parents)
    {
        internal string Policy => policy;

        internal List<Node> Parents => parents;

        internal HashSet<string> Expected { get; set; } = [policy];
    }
}
