using MutualAuth.Certificates;

namespace MutualAuth.Revocation;

/// <summary>Which revocation lists are used, and what happens to a certificate that they do not cover.</summary>
/// <remarks>Immutable. By default, a certificate whose status is not known is rejected.</remarks>
public sealed record RevocationPolicy
{
    /// <summary>The certificate revocation lists, or their source. Nothing is ever fetched from an address in a certificate.</summary>
    public required IRevocationListSource Lists { get; init; }

    /// <summary>Which certificates must have a known status. Default: all except the trust anchor's.</summary>
    public RevocationCoverage Coverage { get; init; } = RevocationCoverage.EveryCertificate;

    /// <summary>What happens to a certificate whose status must be known and is not. Default: it is rejected.</summary>
    public UnknownStatus Unknown { get; init; } = UnknownStatus.Deny;

    /// <summary>
    /// How long a list remains valid after its next update; a list without a next update remains valid this long after it was made.
    /// Default: zero, so that an expired list is not used. An attacker who can withhold new lists gains this much time for a revoked
    /// certificate.
    /// </summary>
    public TimeSpan DangerousGracePeriod { get; init; }

    /// <summary>
    /// How far an authority's clock may be ahead of ours: a list is valid this long before its stated time. Zero to one hour, default one
    /// minute.
    /// </summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// The longest lifetime of a peer's own certificate whose authority says in it, by noRevAvail (RFC 9608), that it publishes no status: such a
    /// certificate need not be covered by a list. Zero to 366 days. Default: zero, the extension changes nothing. Authorities must be covered all
    /// the same, and a certificate that names a list or a responder beside noRevAvail too.
    /// </summary>
    /// <example>
    /// <code>
    /// var policy = new RevocationPolicy { Lists = lists, NoRevAvailLifetime = TimeSpan.FromDays(10) };
    /// </code>
    /// </example>
    public TimeSpan NoRevAvailLifetime { get; init; }

    /// <summary>
    /// The longest lifetime of a peer's own certificate that need not be covered by a list, whatever it says: one that ends before a list would
    /// take effect. Zero to 10 days. Default: zero, every lifetime must be covered. Authorities must be covered all the same. A list or the deny
    /// list that has such a certificate on it still rejects it.
    /// </summary>
    /// <example>
    /// <code>
    /// var policy = new RevocationPolicy { Lists = lists, ShortLivedLifetime = TimeSpan.FromDays(7) };
    /// </code>
    /// </example>
    public TimeSpan ShortLivedLifetime { get; init; }

    /// <summary>Whether a peer's own certificate is so short-lived that its status need not be known.</summary>
    internal bool IsExempt(Certificate leaf) => StatusExemption.Covers(leaf, NoRevAvailLifetime, ShortLivedLifetime);

    /// <summary>Whether this policy accepts anything that the defaults reject.</summary>
    internal bool IsRelaxed => Coverage == RevocationCoverage.LeafOnly || Unknown != UnknownStatus.Deny || DangerousGracePeriod > TimeSpan.Zero
        || NoRevAvailLifetime > TimeSpan.Zero || ShortLivedLifetime > TimeSpan.Zero;

    internal IEnumerable<string> Problems()
    {
        if (Lists is null)
        {
            yield return $"{nameof(RevocationPolicy)}.{nameof(Lists)} is missing: give the lists, or do not configure revocation.";
        }

        if (!Enum.IsDefined(Coverage) || !Enum.IsDefined(Unknown))
        {
            yield return $"{nameof(RevocationPolicy)}.{nameof(Coverage)} and {nameof(Unknown)} must be defined values.";
        }

        if (ClockSkew < TimeSpan.Zero || ClockSkew > TimeSpan.FromHours(1))
        {
            yield return $"{nameof(RevocationPolicy)}.{nameof(ClockSkew)} must be zero to one hour; it is {ClockSkew}.";
        }

        if (NoRevAvailLifetime < TimeSpan.Zero || NoRevAvailLifetime > StatusExemption.MaxNoRevAvailLifetime)
        {
            yield return $"{nameof(RevocationPolicy)}.{nameof(NoRevAvailLifetime)} must be zero to 366 days; it is {NoRevAvailLifetime}.";
        }

        if (ShortLivedLifetime < TimeSpan.Zero || ShortLivedLifetime > StatusExemption.MaxShortLivedLifetime)
        {
            yield return $"{nameof(RevocationPolicy)}.{nameof(ShortLivedLifetime)} must be zero to 10 days; it is {ShortLivedLifetime}.";
        }

        if (DangerousGracePeriod < TimeSpan.Zero || DangerousGracePeriod > TimeSpan.FromDays(366))
        {
            yield return $"{nameof(RevocationPolicy)}.{nameof(DangerousGracePeriod)} must be between zero and 366 days; it is "
                + $"{DangerousGracePeriod}.";
        }
    }
}
