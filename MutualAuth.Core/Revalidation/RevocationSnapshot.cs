using MutualAuth.Certificates;
using MutualAuth.Revocation;
using MutualAuth.Validation;

namespace MutualAuth.Revalidation;

/// <summary>The revocation lists and the deny list in force at one moment. Null: not configured.</summary>
internal sealed record RevocationSnapshot(RevocationLists? Lists, DenyList? Denied)
{
    internal static RevocationSnapshot Of(CertificateStageOptions options) => new(options.Revocation?.Lists.Current, options.DenyList?.Current);

    /// <summary>Whom it may concern that these statements took the place of <paramref name="before"/>.</summary>
    /// <param name="before">The statements until now.</param>
    /// <param name="all">Every live connection.</param>
    /// <param name="index">Where they are found.</param>
    /// <param name="gate">The lock that guards the index.</param>
    /// <param name="grace">How long a list still counts after its expiry.</param>
    /// <param name="at">Now.</param>
    internal IReadOnlyCollection<RevalidationEntry> FindConcerned(
        RevocationSnapshot before, IReadOnlyCollection<RevalidationEntry> all, IssuerIndex index, Lock gate, TimeSpan grace, DateTimeOffset at)
    {
        var found = new HashSet<RevalidationEntry>();
        if (Denied is { } denied && !ReferenceEquals(denied, before.Denied))
        {
            // The list says so itself, at a hundredth of what a judgement costs.
            found.UnionWith(all.Where(entry => entry.Path.Any(certificate => denied.Examine(certificate) is not null)));
        }

        if (Lists is not { IsChecked: true } lists || ReferenceEquals(lists, before.Lists))
        {
            return found; // lists that were cleared on purpose invalidate no connection
        }

        if (before.Lists is not { IsChecked: true } old)
        {
            return all;
        }

        foreach (var change in RevocationChange.Between(old, lists))
        {
            IReadOnlyCollection<Certificate> issuers;
            lock (gate)
            {
                issuers = index.CertificatesOf(change.Issuer);
            }

            var concernsAll = change.MayLoseCoverage(issuers, grace, at);
            lock (gate)
            {
                found.UnionWith(concernsAll ? index.Below(change.Issuer) : change.Fresh.SelectMany(index.On));
            }
        }

        return found;
    }
}
