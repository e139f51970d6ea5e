using System.Collections.Immutable;

namespace MutualAuth.Platforms;

/// <summary>One way in which the platform does not meet what was required of it.</summary>
/// <remarks>Immutable and safe to share.</remarks>
public sealed class PlatformExcess
{
    internal PlatformExcess(PlatformExcessKind kind, PeerRole? role, string expected, string remedy, params IEnumerable<string> found)
    {
        Kind = kind;
        Role = role;
        Expected = expected;
        Remedy = remedy;
        Found = [.. found];
    }

    /// <summary>In what.</summary>
    public PlatformExcessKind Kind { get; }

    /// <summary>In which of our roles; null when it concerns the whole process.</summary>
    public PeerRole? Role { get; }

    /// <summary>What was required.</summary>
    public string Expected { get; }

    /// <summary>What is there beyond it, by the names of the registries.</summary>
    public ImmutableArray<string> Found { get; }

    /// <summary>What to do about it.</summary>
    public string Remedy { get; }

    /// <summary>One sentence for each fact, fit for a log.</summary>
    public override string ToString()
    {
        var who = Role switch
        {
            PeerRole.Client => "As a client: ",
            PeerRole.Server => "As a server: ",
            _ => string.Empty,
        };
        return $"{who}expected {Expected}; found {string.Join(", ", Found)}. {Remedy}";
    }
}
