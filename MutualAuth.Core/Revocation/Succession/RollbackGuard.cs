namespace MutualAuth.Revocation;

/// <summary>
/// Compares each set of lists of one source with the previous one: for each issuer and scope, no list may be older. The first set is compared with
/// what a witness remembers of earlier runs; without a witness the state is lost with the process.
/// </summary>
/// <remarks>
/// Numbers and dates are compared when a set is loaded. The signature of a list is checked only at the first path that needs it; until then
/// the previous list is kept as a fallback, and used where the new one does not verify. Calls of <see cref="Admit"/> must not overlap.
/// </remarks>
/// <param name="clock">Returns the current time.</param>
/// <param name="memory">What is remembered of the source over a restart; null for nothing.</param>
internal sealed class RollbackGuard(TimeProvider clock, WitnessedSource? memory = null)
{
    /// <summary>How far an authority's clock may be ahead of ours: as for OCSP.</summary>
    internal static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(1);

    private RevocationLists? _last;
    private bool _isWitnessed = memory is null;

    /// <summary>Whether the last set that was refused went back; otherwise it was not in force.</summary>
    internal bool HasGoneBack { get; private set; }

    /// <summary>Called once for a list that its issuer did not sign, and for which the last good list stays in use.</summary>
    internal Action<MaterialException>? Refuted { get; set; }

    /// <summary>Why the lists that were admitted last could not be recorded; null when they are.</summary>
    internal MaterialException? Unrecorded { get; private set; }

    /// <summary>
    /// Returns lists that an earlier run kept, checked against those that it kept before, and not against the witness: what stands in reserve is
    /// older.
    /// </summary>
    /// <exception cref="MaterialException">One of them is older, or an issuer no longer has a list.</exception>
    internal RevocationLists AdmitKept(RevocationLists lists)
    {
        if (_last is not null)
        {
            Compare(_last, lists, clock.GetUtcNow());
        }

        return _last = lists;
    }

    /// <summary>Returns the same lists, checked against the previous ones.</summary>
    /// <exception cref="MaterialException">
    /// One of them is older, or an issuer no longer has a list, or the witness cannot be read or written.
    /// </exception>
    internal RevocationLists Admit(RevocationLists next)
    {
        // The operator has chosen to check nothing. The previous lists are compared again when lists come back.
        if (next.IsChecked)
        {
            var now = clock.GetUtcNow();
            if (!_isWitnessed)
            {
                CompareWithEarlierRuns(next, now);
            }

            if (_last is not null)
            {
                Compare(_last, next, now);
            }

            _last = next;
            _isWitnessed = true;
            Unrecorded = memory?.Remember(next);
        }

        return next;
    }

    /// <summary>The source was disposed of: what the witness could not record is not tried again.</summary>
    internal void StopRecording() => memory?.Dispose();

    private void CompareWithEarlierRuns(RevocationLists next, DateTimeOffset now)
    {
        foreach (var old in memory!.Marks)
        {
            if (!next.Lists.Any(list => list.Mark.Digest == old.Digest))
            {
                SuccessorsOf(old, next, now, isOfEarlierRun: true);
            }
        }

        foreach (var old in memory.MarksOfOtherSources)
        {
            foreach (var list in next.Naming(old.Issuer))
            {
                if (list.Mark.Digest != old.Digest && list.IsDelta == old.IsDelta && list.Mark.TakesThePlaceOf(old)
                    && list.Mark.BehindWhat(old) is { } why)
                {
                    throw Refuse(hasGoneBack: true, old, $"the list that is to be used is older: {why}", isOfEarlierRun: true);
                }
            }
        }
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
                places.AddRange(SuccessorsOf(counted.Mark, next, now, isOfEarlierRun: false).Select(list => (counted, list)));
            }
        }

        foreach (var (old, list) in places)
        {
            list.HoldInReserve(old, OnRefuted);
        }
    }

    private List<RevocationList> SuccessorsOf(ListMark old, RevocationLists next, DateTimeOffset now, bool isOfEarlierRun)
    {
        var candidates = next.Naming(old.Issuer).Where(list => list.Mark.IsOfTheKindOf(old)).ToList();
        if (candidates.Exists(list => list.Mark.NamesTheKeyOf(old)))
        {
            // An authority with two keys has two lists, and one does not replace the other.
            candidates.RemoveAll(list => !list.Mark.NamesTheKeyOf(old));
        }

        if (candidates.Count == 0)
        {
            throw Refuse(hasGoneBack: true, old, "there is no longer a list of the same issuer for the same certificates", isOfEarlierRun);
        }

        var ahead = candidates.Where(list => list.Mark.BehindWhat(old) is null).ToList();
        if (ahead.Count == 0)
        {
            throw Refuse(hasGoneBack: true, old, $"the list that would replace it is older: {candidates[0].Mark.BehindWhat(old)}", isOfEarlierRun);
        }

        var counting = ahead.Where(list => FlawOf(list.Mark, now) is null).ToList();
        return counting.Count > 0 || FlawOf(old, now) is not null
            ? ahead
            : throw Refuse(hasGoneBack: false, old, $"its replacement is {FlawOf(ahead[0].Mark, now)}, while it is still valid", isOfEarlierRun);
    }

    private static string? FlawOf(ListMark list, DateTimeOffset now) => RevocationCheck.FlawOfDates(list, now, TimeSpan.Zero, ClockSkew);

    private void OnRefuted(RevocationList forged) => Refuted?.Invoke(new MaterialException(
        $"The {forged} was not signed by its issuer; the previous list stays in force. Fetch it again, and find out how it was loaded."));

    private MaterialException Refuse(bool hasGoneBack, ListMark old, string why, bool isOfEarlierRun)
    {
        HasGoneBack = hasGoneBack;
        return new(isOfEarlierRun
            ? $"The {old} was in force in an earlier run: {why}. Fetch the current list, and find out who put this one in its place; to go back on "
                + $"purpose, or when the list of the earlier run was forged, remove the witness {memory!.Witness} and create it again."
            : $"The {old} stays in force: {why}. Fetch the current list; to load an older list on purpose, restart the process"
                + (memory is null ? "." : $" with a new witness in place of {memory.Witness}."));
    }
}
