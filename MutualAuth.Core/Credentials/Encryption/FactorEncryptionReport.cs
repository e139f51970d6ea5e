using System.Collections.Immutable;

namespace MutualAuth.Credentials;

/// <summary>What <see cref="FactorEncryption.EncryptAllAsync"/> has done. Immutable.</summary>
public sealed class FactorEncryptionReport
{
    internal FactorEncryptionReport(int rewritten, int unchanged, ImmutableArray<RefusedFactor> refused) =>
        (Rewritten, Unchanged, Refused) = (rewritten, unchanged, refused);

    /// <summary>How many factors it has encrypted with the key that writes.</summary>
    public int Rewritten { get; }

    /// <summary>How many were encrypted with it already, or were removed meanwhile.</summary>
    public int Unchanged { get; }

    /// <summary>Those that could not be opened; they are as they were.</summary>
    public ImmutableArray<RefusedFactor> Refused { get; }
}
