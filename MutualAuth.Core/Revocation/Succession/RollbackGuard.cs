namespace MutualAuth.Revocation;

/// <summary>
/// Compares each set of lists of one source with the previous one: for each issuer and scope, no list may be older. The state is lost with
/// the process.
/// </summary>
/// <remarks>
/// Numbers and dates are compared when a set is loaded. The signature of a list is checked only at the first path that needs it; until then
/// the previous list is kept as a fallback, and used where the new one does not verify. Calls of <see cref="Admit"/> must not overlap.
/// </remarks>
/// <param name="clock">Returns the current time.</param>
internal sealed class RollbackGuard(TimeProvider clock)
{
    /// <summary>How far an authority's clock may be ahead of ours: as for OCSP.</summary>
    internal static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(1);

    private RevocationLists? _last;

    /// <summary>Whether the last set that was refused went back; otherwise it was not in force.</summary>
    internal bool HasGoneBack { get; private set; }

    /// <summary>Called once for a list that its issuer did not sign, and for which the last good list stays in use.</summary>
    internal Action<MaterialException>? Refuted { get; set; }

    /// <summary>Returns the same lists, checked against the previous ones.</summary>
    /// <exception cref="MaterialException">One of them is older, or an issuer no longer has a list.</exception>
    internal RevocationLists Admit(RevocationLists next)
    {
        // The operator has chosen to check nothing. The previous lists are compared again when lists come back.
        if (next.IsChecked)
        {
            if (_last is not null)
            {
                Compare(_last, next, clock.GetUtcNow());
            }

            _last = next;
        }

        return next;
    }

    private void Compare(RevocationLists before, RevocationLists next, DateTimeOffset now)
    {
        var places = new List<(RevocationList Old, RevocationList New)>();
        foreach (var old in before.Lists)
        {
            if (next.Naming(old.Issuer).FirstOrDefault(old.IsSameAs) is { } same)
            {
                same.Continue(old);
                continue;
            }

            // A list with an invalid signature does not block a later one.
            foreach (var counted in old.IsRefuted ? [.. old.Reserve] : new[] { old })
            {
                places.AddRange(SuccessorsOf(counted, next, now).Select(list => (counted, list)));
            }
        }

        foreach (var (old, list) in places)
        {
            list.HoldInReserve(old, OnRefuted);
        }
    }

    private List<RevocationList> SuccessorsOf(RevocationList old, RevocationLists next, DateTimeOffset now)
    {
        var candidates = next.Naming(old.Issuer).Where(list => list.IsOfTheKindOf(old)).ToList();
        if (candidates.Exists(list => list.NamesTheKeyOf(old)))
        {
            // An authority with two keys has two lists, and one does not replace the other.
            candidates.RemoveAll(list => !list.NamesTheKeyOf(old));
        }

        if (candidates.Count == 0)
        {
            throw Refuse(hasGoneBack: true, old, "there is no longer a list of the same issuer for the same certificates");
        }

        var ahead = candidates.Where(list => list.BehindWhat(old) is null).ToList();
        if (ahead.Count == 0)
        {
            throw Refuse(hasGoneBack: true, old, $"the list that would replace it is older: {candidates[0].BehindWhat(old)}");
        }

        var counting = ahead.Where(list => FlawOf(list, now) is null).ToList();
        return counting.Count > 0 || FlawOf(old, now) is not null
            ? ahead
            : throw Refuse(hasGoneBack: false, old, $"its replacement is {FlawOf(ahead[0], now)}, while it is still valid");
    }

    private static string? FlawOf(RevocationList list, DateTimeOffset now) => RevocationCheck.FlawOfDates(list, now, TimeSpan.Zero, ClockSkew);

    private void OnRefuted(RevocationList forged) => Refuted?.Invoke(new MaterialException(
        $"The {forged} was not signed by its issuer; the previous list stays in force. Fetch it again, and find out how it was loaded."));

    private MaterialException Refuse(bool hasGoneBack, RevocationList old, string why)
    {
        HasGoneBack = hasGoneBack;
        return new($"The {old} stays in force: {why}. Fetch the current list; to load an older list on purpose, restart the process.");
    }
}
