using System.Collections.Immutable;
using MutualAuth.Certificates;

namespace MutualAuth.Paths;

/// <summary>The result of the search for a path: the path, or the reason why there is none. Immutable.</summary>
public sealed class PathResult
{
    private PathResult(ImmutableArray<Certificate> path, Rejection? rejection)
    {
        Path = path;
        Rejection = rejection;
    }

    /// <summary>Why no path was accepted; null when one was.</summary>
    public Rejection? Rejection { get; }

    /// <summary>The verified path, the peer's certificate first and the trust anchor last; empty when no path was accepted.</summary>
    public ImmutableArray<Certificate> Path { get; }

    /// <summary>
    /// The certificate policies that are valid for the path, as dotted identifiers in the domain of the anchor (user-constrained-policy-set, RFC 5280
    /// §6.1.6, RFC 9618); <c>2.5.29.32.0</c>, anyPolicy, when every policy is. Empty when none is, and when no path was accepted.
    /// </summary>
    public ImmutableArray<string> Policies { get; private init; } = [];

    internal static PathResult Found(ImmutableArray<Certificate> path, ImmutableArray<string> policies) => new(path, null) { Policies = policies };

    internal static PathResult Found(ImmutableArray<Certificate> path) => Found(path, []);

    internal static PathResult Rejected(Rejection rejection) => new([], rejection);
}
