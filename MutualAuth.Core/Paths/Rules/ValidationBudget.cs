namespace MutualAuth.Paths;

/// <summary>How much work the certificates of one peer may cause before it is rejected with <see cref="RejectionReason.BudgetExceeded"/>.</summary>
/// <remarks>
/// An honest peer needs one signature check per certificate, two or three in all. The defaults allow the networks of cross-signed
/// authorities that exist in practice, and no more: with them, the most expensive list that a peer can send costs a fixed multiple of an
/// honest one (docs/how-to/size-certificates.md has the figure, and says which limits honest certificates can reach). Immutable; a value
/// below 1 throws <see cref="ArgumentOutOfRangeException"/>.
/// </remarks>
public sealed record ValidationBudget
{
    /// <summary>
    /// Signature checks, in units of one check with a P-256 key. A successful check costs one, whatever the key. A failed check costs 10
    /// for P-384 and P-521, 2, 3 and 6 for ML-DSA-44, -65 and -87, and for RSA as much as its length and exponent cost (2,048 bits: 1; 8,192
    /// bits with an exponent of 64 bits: 16). Default 64.
    /// </summary>
    public int SignatureChecks { get; init => field = AtLeastOne(value); } = 64;

    /// <summary>Issuers that may be tried, over all paths. Default 512.</summary>
    public int Candidates { get; init => field = AtLeastOne(value); } = 512;

    /// <summary>
    /// Comparisons of a name with a name constraint of its form. Each comparison costs one unit for each 64 octets of the two, or part
    /// of it; directory names, which are folded, cost eight times as much. Default 65,536.
    /// </summary>
    public int NameComparisons { get; init => field = AtLeastOne(value); } = 65_536;

    /// <summary>Certificates that may come from the peer. Default 100.</summary>
    public int Certificates { get; init => field = AtLeastOne(value); } = 100;

    /// <summary>The total size of those certificates, in octets. Default 512 KiB.</summary>
    public int Bytes { get; init => field = AtLeastOne(value); } = 512 * 1024;

    private static int AtLeastOne(int value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
        return value;
    }
}
