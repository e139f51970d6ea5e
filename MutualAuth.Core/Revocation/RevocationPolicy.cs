namespace MutualAuth.Revocation;

/// <summary>Which revocation lists count, and what happens when they say nothing.</summary>
/// <remarks>Immutable. The defaults deny whatever is not known to be good.</remarks>
public sealed record RevocationPolicy
{
    /// <summary>The certificate revocation lists, or where they come from. Nothing is ever fetched from an address in a certificate.</summary>
    public required IRevocationListSource Lists { get; init; }

    /// <summary>Of which certificates the status must be known. Default: of every one but the trust anchor's.</summary>
    public RevocationCoverage Coverage { get; init; }

    /// <summary>What becomes of a certificate whose status must be known and is not. Default: it is rejected.</summary>
    public UnknownStatus Unknown { get; init; }

    /// <summary>
    /// How long after its next update a list goes on counting; one that announces no next update counts this long after it was made. Default:
    /// zero, so that an expired list counts for nothing. An attacker that can withhold new lists gains this much time for a revoked certificate.
    /// </summary>
    public TimeSpan DangerousGracePeriod { get; init; }

    /// <summary>
    /// How far an authority's clock may be ahead of ours: a list counts this long before the time at which it says it was made. Zero to one hour,
    /// default one minute.
    /// </summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Whether something of this lets pass what the defaults reject.</summary>
    internal bool IsRelaxed => Coverage == RevocationCoverage.LeafOnly || Unknown != UnknownStatus.Deny || DangerousGracePeriod > TimeSpan.Zero;

    internal IEnumerable<string> Problems()
    {
        if (Lists is null)
        {
            yield return $"{nameof(RevocationPolicy)}.{nameof(Lists)} is missing: give the lists, or leave revocation out altogether.";
        }

        if (!Enum.IsDefined(Coverage) || !Enum.IsDefined(Unknown))
        {
            yield return $"{nameof(RevocationPolicy)}.{nameof(Coverage)} and {nameof(Unknown)} must be values that exist.";
        }

        if (ClockSkew < TimeSpan.Zero || ClockSkew > TimeSpan.FromHours(1))
        {
            yield return $"{nameof(RevocationPolicy)}.{nameof(ClockSkew)} must be zero to one hour; it is {ClockSkew}.";
        }

        if (DangerousGracePeriod < TimeSpan.Zero || DangerousGracePeriod > TimeSpan.FromDays(366))
        {
            yield return $"{nameof(RevocationPolicy)}.{nameof(DangerousGracePeriod)} must be between zero and 366 days; it is {DangerousGracePeriod}.";
        }
    }
}
