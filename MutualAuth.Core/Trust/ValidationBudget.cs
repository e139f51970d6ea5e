namespace MutualAuth.Trust;

/// <summary>How much work the certificates of one peer may cause before it is refused with <see cref="Errors.RejectionReason.BudgetExceeded"/>.</summary>
/// <remarks>
/// An honest peer needs one signature check per certificate, two or three in all. The defaults allow mazes of cross-signed authorities
/// that exist in practice and no more: with them the dearest list that a peer can send costs a fixed multiple of an honest one
/// (docs/conformance.md has the figure). Immutable; a value below 1 throws <see cref="ArgumentOutOfRangeException"/>.
/// </remarks>
public sealed record ValidationBudget
{
    /// <summary>Signatures that may be checked. Default 32.</summary>
    public int SignatureChecks { get; init => field = AtLeastOne(value); } = 32;

    /// <summary>Issuers that may be tried, over all paths. Default 512.</summary>
    public int Candidates { get; init => field = AtLeastOne(value); } = 512;

    /// <summary>Names that may be compared with name constraints. Default 65,536.</summary>
    public int NameComparisons { get; init => field = AtLeastOne(value); } = 65_536;

    /// <summary>Certificates that may come from the peer. Default 100.</summary>
    public int Certificates { get; init => field = AtLeastOne(value); } = 100;

    /// <summary>Octets that those certificates may have together. Default 512 KiB.</summary>
    public int Bytes { get; init => field = AtLeastOne(value); } = 512 * 1024;

    private static int AtLeastOne(int value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
        return value;
    }
}
