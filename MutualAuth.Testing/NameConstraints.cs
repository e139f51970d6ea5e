namespace MutualAuth.Testing;

/// <summary>The name constraints extension (RFC 5280 §4.2.1.10): which names an authority may, or may not, certify.</summary>
/// <remarks>An address range is written with <see cref="GeneralName.AddressRange"/>; the other forms are those of a name.</remarks>
public sealed record NameConstraints
{
    /// <summary>The subtrees that are allowed; empty restricts nothing.</summary>
    public IReadOnlyList<GeneralName> Permitted { get; init; } = [];

    /// <summary>The subtrees that are forbidden, which wins over <see cref="Permitted"/>.</summary>
    public IReadOnlyList<GeneralName> Excluded { get; init; } = [];

    /// <summary>RFC 5280 asks for true, the default.</summary>
    public bool Critical { get; init; } = true;
}
