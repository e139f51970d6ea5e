using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using MutualAuth.Certificates;

namespace MutualAuth.Paths;

/// <summary>
/// The policies that were valid for the last paths: with the same authorities, constraints and policies of the peer's certificate they are the same
/// again. Only what was accepted is kept. Safe for concurrent use.
/// </summary>
/// <remarks>So that peers of one authority, of which there are many, do not each build the graph of RFC 9618 again.</remarks>
internal sealed class PolicyMemory
{
    private const int Places = 8; // a power of two

    private readonly Entry?[] _entries = new Entry?[Places];

    /// <summary>The policies that are valid for this path; false when they are not known.</summary>
    internal bool TryFind(ReadOnlySpan<Certificate> path, ImmutableArray<AnchorConstraints> constraints, out ImmutableArray<string> policies)
    {
        if (Volatile.Read(ref _entries[PlaceOf(path)]) is { } entry && entry.IsOf(path, constraints))
        {
            policies = entry.Valid;
            return true;
        }

        policies = [];
        return false;
    }

    internal void Keep(ReadOnlySpan<Certificate> path, ImmutableArray<AnchorConstraints> constraints, ImmutableArray<string> policies) =>
        Volatile.Write(
            ref _entries[PlaceOf(path)],
            new Entry(
                [.. path[1..]],
                constraints,
                path[0].Extensions.Policies,
                path[0].Extensions.Present & KnownExtension.CertificatePolicies,
                policies));

    private static int PlaceOf(ReadOnlySpan<Certificate> path) => RuntimeHelpers.GetHashCode(path[1]) & (Places - 1);

    private sealed record Entry(
        ImmutableArray<Certificate> Authorities,
        ImmutableArray<AnchorConstraints> Constraints,
        CertificatePolicies Leaf,
        KnownExtension LeafHas,
        ImmutableArray<string> Valid)
    {
        internal bool IsOf(ReadOnlySpan<Certificate> path, ImmutableArray<AnchorConstraints> constraints)
        {
            if (path.Length != Authorities.Length + 1 || Constraints != constraints)
            {
                return false;
            }

            for (var i = 0; i < Authorities.Length; i++)
            {
                if (!ReferenceEquals(Authorities[i], path[i + 1]))
                {
                    return false;
                }
            }

            var leaf = path[0].Extensions;
            return (leaf.Present & KnownExtension.CertificatePolicies) == LeafHas
                && leaf.Policies.RequireExplicitPolicy == Leaf.RequireExplicitPolicy
                && leaf.Policies.Policies.AsSpan().SequenceEqual(Leaf.Policies.AsSpan());
        }
    }
}
