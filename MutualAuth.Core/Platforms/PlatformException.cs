using System.Collections.Immutable;

namespace MutualAuth.Platforms;

/// <summary>The platform is not what <see cref="PlatformRequirements"/> demand: the server or client was not made.</summary>
public sealed class PlatformException : Exception
{
    internal PlatformException(PlatformRequirements requirements, ImmutableArray<PlatformExcess> excesses)
        : base($"The platform does not meet {requirements.Name}:{string.Concat(excesses.Select(excess => $"{Environment.NewLine}  {excess}"))}")
    {
        Requirements = requirements;
        Excesses = excesses;
    }

    /// <summary>What was required.</summary>
    public PlatformRequirements Requirements { get; }

    /// <summary>Everything that does not meet it, one at least, each with its remedy.</summary>
    public ImmutableArray<PlatformExcess> Excesses { get; }
}
