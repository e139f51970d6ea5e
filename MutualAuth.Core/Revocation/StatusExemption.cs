using MutualAuth.Certificates;

namespace MutualAuth.Revocation;

/// <summary>Certificates that end so soon that nothing need be known about their revocation: lists and responders have the same bounds.</summary>
internal static class StatusExemption
{
    internal static TimeSpan MaxNoRevAvailLifetime { get; } = TimeSpan.FromDays(366);

    internal static TimeSpan MaxShortLivedLifetime { get; } = TimeSpan.FromDays(10);

    /// <param name="leaf">A peer's own certificate.</param>
    /// <param name="noRevAvail">The longest lifetime of one that carries noRevAvail (RFC 9608); zero for none.</param>
    /// <param name="shortLived">The longest lifetime of any other; zero for none.</param>
    internal static bool Covers(Certificate leaf, TimeSpan noRevAvail, TimeSpan shortLived)
    {
        var lifetime = leaf.NotAfter - leaf.NotBefore;
        return !leaf.IsCertificateAuthority
            && (IsWithin(lifetime, shortLived) || (IsWithin(lifetime, noRevAvail) && leaf.Extensions.HasNoRevocationAvailable));

        // A lifetime of nothing is within no bound of zero: that means none.
        static bool IsWithin(TimeSpan lifetime, TimeSpan bound) => bound > TimeSpan.Zero && lifetime <= bound;
    }
}
