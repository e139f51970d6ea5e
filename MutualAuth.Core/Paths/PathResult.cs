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

    internal static PathResult Found(ImmutableArray<Certificate> path) => new(path, null);

    internal static PathResult Rejected(Rejection rejection) => new([], rejection);
}
