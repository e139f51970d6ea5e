namespace MutualAuth.Revalidation;

/// <summary>What is due when, earliest first. Not safe for concurrent use.</summary>
internal sealed class DueQueue
{
    private static readonly Comparer<(long Due, long Number, RevalidationEntry Entry)> s_order =
        Comparer<(long Due, long Number, RevalidationEntry Entry)>.Create(
            (left, right) => left.Due != right.Due ? left.Due.CompareTo(right.Due) : left.Number.CompareTo(right.Number));

    private readonly SortedSet<(long Due, long Number, RevalidationEntry Entry)> _dues = new(s_order);

    /// <summary>When the next is due; null when nothing is.</summary>
    internal long? Next => _dues.Count == 0 ? null : _dues.Min.Due;

    /// <summary>Moves an entry from one time to another; null is no time.</summary>
    internal void Move(RevalidationEntry entry, long? from, long? to)
    {
        if (from == to)
        {
            return;
        }

        if (from is { } before)
        {
            _dues.Remove((before, entry.Number, entry));
        }

        if (to is { } now)
        {
            _dues.Add((now, entry.Number, entry));
        }
    }

    /// <summary>The earliest entry that is due at this time; null when none is. It stays until it is moved.</summary>
    internal RevalidationEntry? DueAt(long time) => Next <= time ? _dues.Min.Entry : null;
}
