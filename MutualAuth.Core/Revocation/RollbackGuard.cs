namespace MutualAuth.Revocation;

/// <summary>
/// Holds each set of lists of one source against the one before: for each issuer and scope nothing goes back. It forgets with the process.
/// </summary>
/// <remarks>
/// Numbers and dates are compared when a set is loaded. Who signed a list shows only at the first path that needs it; until then the list before
/// is held in reserve, and counts where the new one does not verify. Calls of <see cref="Admit"/> must not overlap.
/// </remarks>
/// <param name="clock">What time it is.</param>
internal sealed class RollbackGuard(TimeProvider clock)
{
    /// <summary>How far an authority's clock may be ahead of ours: as for OCSP.</summary>
    private static readonly TimeSpan s_clockSkew = TimeSpan.FromMinutes(1);

    private RevocationLists? _last;

    /// <summary>Told once of a list that turned out not to be its issuer's, and whose place the last good one has kept.</summary>
    internal Action<MaterialException>? Refuted { get; set; }

    /// <summary>Returns the same lists, fit to take the place of those before.</summary>
    /// <exception cref="MaterialException">One of them goes back, or an issuer has none any more.</exception>
    internal RevocationLists Admit(RevocationLists next)
    {
        // Checking nothing is the operator's explicit choice. What was known before counts again when lists come back.
        if (next.IsChecked)
        {
            if (_last is not null && !ReferenceEquals(_last, next))
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

            // A list without a valid signature does not block later lists.
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

    private static List<RevocationList> SuccessorsOf(RevocationList old, RevocationLists next, DateTimeOffset now)
    {
        var candidates = next.Naming(old.Issuer).Where(list => list.IsOfTheKindOf(old)).ToList();
        if (candidates.Exists(list => list.NamesTheKeyOf(old)))
        {
            // An authority with two keys has two lists, and neither makes up for the other.
            candidates.RemoveAll(list => !list.NamesTheKeyOf(old));
        }

        if (candidates.Count == 0)
        {
            throw Refusal(old, "there is no list any more of the same issuer and for the same certificates");
        }

        var ahead = candidates.Where(list => list.BehindWhat(old) is null).ToList();
        if (ahead.Count == 0)
        {
            throw Refusal(old, $"the list that would take its place goes back: {candidates[0].BehindWhat(old)}");
        }

        var counting = ahead.Where(list => FlawOf(list, now) is null).ToList();
        return counting.Count > 0 || FlawOf(old, now) is not null
            ? ahead
            : throw Refusal(old, $"what would take its place is {FlawOf(ahead[0], now)}, while it still counts");
    }

    private static string? FlawOf(RevocationList list, DateTimeOffset now) => RevocationCheck.FlawOfDates(list, now, TimeSpan.Zero, s_clockSkew);

    private void OnRefuted(RevocationList forged) => Refuted?.Invoke(new MaterialException(
        $"The {forged} has not been signed by its issuer: the list before stays in its place. Fetch it again, and find out who put it there."));

    private static MaterialException Refusal(RevocationList old, string why) =>
        new($"The {old} stays in force: {why}. Fetch the current list; to roll back on purpose, restart the process.");
}
