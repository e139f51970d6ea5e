using System.Collections.Immutable;
using MutualAuth.Certificates;
using MutualAuth.Names;

namespace MutualAuth.Revocation;

/// <summary>The effect on one issuer's lists when one set of lists replaces another. Issuers whose lists stayed the same have none.</summary>
internal sealed class RevocationChange
{
    private readonly ImmutableArray<RevocationList> _before;
    private readonly ImmutableArray<RevocationList> _after;

    private RevocationChange(DistinguishedName issuer, ImmutableArray<RevocationList> before, ImmutableArray<RevocationList> after)
    {
        Issuer = issuer;
        _before = before;
        _after = after;
        Fresh = [.. after.Where(list => !before.Any(list.IsSameAs))];
    }

    internal DistinguishedName Issuer { get; }

    /// <summary>The lists that are new. Certificates on them may now be revoked.</summary>
    internal ImmutableArray<RevocationList> Fresh { get; }

    private bool IsNone => Fresh.IsEmpty && _before.All(list => _after.Any(list.IsSameAs));

    internal static IEnumerable<RevocationChange> Between(RevocationLists before, RevocationLists after) =>
        from issuer in before.Issuers.Union(after.Issuers)
        let change = new RevocationChange(issuer, before.Naming(issuer), after.Naming(issuer))
        where !change.IsNone
        select change;

    /// <summary>
    /// Whether the status of a certificate that was known before may now be unknown, whatever its serial number: a list was removed,
    /// expired, was not signed by the issuer's own key, or has another scope. A list that was replaced by its next issue has none of these
    /// effects.
    /// </summary>
    /// <param name="issuers">The known certificates of the issuer.</param>
    /// <param name="grace">How long a list remains valid after its end.</param>
    /// <param name="at">The time at which the lists must be valid.</param>
    internal bool MayLoseCoverage(IReadOnlyCollection<Certificate> issuers, TimeSpan grace, DateTimeOffset at) =>
        !_before.All(old => _after.Any(list => list.IsSameAs(old) || TakesThePlaceOf(old, list, issuers, grace, at)));

    private static bool TakesThePlaceOf(
        RevocationList old, RevocationList list, IReadOnlyCollection<Certificate> issuers, TimeSpan grace, DateTimeOffset at) =>
        list.CoversWhat(old)
        && RevocationCheck.FlawOfDates(list, at, grace, TimeSpan.Zero) is null
        && issuers.All(issuer => list.IsSignedBy(issuer.PublicKey));
}
