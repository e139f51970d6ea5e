namespace MutualAuth.Revocation;

/// <summary>When one address is asked next.</summary>
internal sealed class FetchPauses(RevocationFetchOptions options)
{
    private const int MaxDoublings = 32;

    // Of the time for which a list is valid; authorities that issue one every few minutes exist.
    private const double MaxLeadShare = 0.25;

    private int _inARow;

    /// <summary>The pause before the next fetch.</summary>
    /// <param name="isGood">Whether the last one gave a list, or said that there is none newer.</param>
    /// <param name="lists">The lists in force.</param>
    /// <param name="now">The time.</param>
    internal TimeSpan After(bool isGood, RevocationLists lists, DateTimeOffset now) =>
        TimeSpan.FromMilliseconds(Math.Max(1, Math.Floor(PauseAfter(isGood, lists, now).TotalMilliseconds))); // timers count no less

    private TimeSpan PauseAfter(bool isGood, RevocationLists lists, DateTimeOffset now)
    {
        var due = lists.Lists.Where(list => list.NextUpdate is not null).Min(DueAt);
        if (!isGood || now >= due)
        {
            return NotPast(lists.NextUpdate, now, Retry());
        }

        _inARow = 0;
        var regular = options.Interval * (1 - (Random() / 5));
        return due is { } dueAt && dueAt - now < regular ? dueAt - now : regular;
    }

    private DateTimeOffset? DueAt(RevocationList list)
    {
        var lead = (list.NextUpdate!.Value - list.ThisUpdate) * MaxLeadShare;
        return list.NextUpdate.Value - (options.LeadTime < lead ? options.LeadTime : lead);
    }

    private TimeSpan Retry()
    {
        var whole = Math.Min(
            options.RetryDelay.TotalMilliseconds * Math.Pow(2, Math.Min(_inARow++, MaxDoublings)), options.Interval.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(whole) * (1 - (Random() / 2));
    }

    /// <summary>Not beyond the end of the lists: what expires is noticed, and said, when it does.</summary>
    private TimeSpan NotPast(DateTimeOffset? end, DateTimeOffset now, TimeSpan pause) =>
        end is { } endsAt && now <= endsAt && endsAt - now < pause
            ? endsAt - now + (options.RetryDelay * Random()) + TimeSpan.FromMilliseconds(2)
            : pause;

    /// <summary>From 0 to 1. It spreads load and protects nothing.</summary>
#pragma warning disable CA5394
    private static double Random() => System.Random.Shared.NextDouble();
#pragma warning restore CA5394
}
