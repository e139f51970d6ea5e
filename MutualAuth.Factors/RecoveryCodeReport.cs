using System.Collections.Immutable;

namespace MutualAuth.Factors;

/// <summary>What <see cref="RecoveryCodes.RehashAllAsync"/> has done. Immutable.</summary>
public sealed class RecoveryCodeReport
{
    internal RecoveryCodeReport(int rewritten, int unchanged, ImmutableArray<string> refused) =>
        (Rewritten, Unchanged, Refused) = (rewritten, unchanged, refused);

    /// <summary>How many sets it has rewritten.</summary>
    public int Rewritten { get; }

    /// <summary>How many were in today's form already, or were removed meanwhile.</summary>
    public int Unchanged { get; }

    /// <summary>The users whose sets cannot be read, or were changed again and again meanwhile. The sets are as they were: make new codes.</summary>
    public ImmutableArray<string> Refused { get; }
}
