using System.Collections.Immutable;
using MutualAuth.Certificates;
using MutualAuth.Names;

namespace MutualAuth.Revocation;

/// <summary>What became of one issuer's lists when a set of lists took another one's place. Issuers whose lists stayed the same have none.</summary>
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

    /// <summary>The lists that were not there before. Certificates on one of them may be revoked now.</summary>
    internal ImmutableArray<RevocationList> Fresh { get; }

    private bool IsNone => Fresh.IsEmpty && _before.All(list => _after.Any(list.IsSameAs));

    internal static IEnumerable<RevocationChange> Between(RevocationLists before, RevocationLists after) =>
        from issuer in before.Issuers.Union(after.Issuers)
        let change = new RevocationChange(issuer, before.Naming(issuer), after.Naming(issuer))
        where !change.IsNone
        select change;

    /// <summary>
    /// Whether the status of a certificate that was known before may be unknown now, whatever its serial number: a list was removed, expired, was not
    /// signed by the issuer's key itself, or speaks of others. A list that its next issue replaced does none of these.
    /// </summary>
    /// <param name="issuers">The issuer's certificates by which it is known.</param>
    /// <param name="grace">How long a list goes on counting after its end.</param>
    /// <param name="at">The time at which the lists must count.</param>
    internal bool MayLoseCoverage(IReadOnlyCollection<Certificate> issuers, TimeSpan grace, DateTimeOffset at) =>
        !_before.All(old => _after.Any(list => list.IsSameAs(old) || TakesThePlaceOf(old, list, issuers, grace, at)));

    private static bool TakesThePlaceOf(RevocationList old, RevocationList list, IReadOnlyCollection<Certificate> issuers, TimeSpan grace, DateTimeOffset at) =>
        list.CoversWhat(old)
        && RevocationCheck.FlawOfDates(list, at, grace, TimeSpan.Zero) is null
        && issuers.All(issuer => list.IsSignedBy(issuer.PublicKey));
}
