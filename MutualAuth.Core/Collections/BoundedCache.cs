using System.Diagnostics.CodeAnalysis;

namespace MutualAuth.Collections;

/// <summary>
/// A dictionary that holds no more entries than it was made for. Entries have a rank: when it is full, the oldest entry of the lowest rank is
/// evicted. With one rank that is the entry that was set longest ago.
/// </summary>
/// <remarks>Each operation takes constant time for a fixed number of ranks. Not safe for use from several threads: its owner holds a lock.</remarks>
internal sealed class BoundedCache<TKey, TValue>
    where TKey : notnull
{
    private readonly int _capacity;
    private readonly Dictionary<TKey, LinkedListNode<Entry>> _entries;
    private readonly LinkedList<Entry>[] _ranks;
    private LinkedListNode<Entry>? _spare; // of the entry that went last, for the next one; it keeps nothing of it

    /// <param name="capacity">The most entries; 0 keeps none.</param>
    /// <param name="ranks">How many ranks there are, numbered from 0, the first to be evicted.</param>
    /// <param name="comparer">Compares keys; null for the default.</param>
    internal BoundedCache(int capacity, int ranks = 1, IEqualityComparer<TKey>? comparer = null)
    {
        _capacity = capacity;
        _entries = new Dictionary<TKey, LinkedListNode<Entry>>(comparer);
        _ranks = [.. Enumerable.Range(0, ranks).Select(_ => new LinkedList<Entry>())];
    }

    internal int Count => _entries.Count;

    internal bool IsFull => _entries.Count >= _capacity;

    internal bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        var isThere = _entries.TryGetValue(key, out var node);
        value = isThere ? node!.Value.Value : default;
        return isThere;
    }

    /// <summary>Sets an entry, which becomes the newest of its rank. Evicts one when the cache is full and the key is new.</summary>
    internal void Set(TKey key, TValue value, int rank = 0)
    {
        if (_capacity <= 0)
        {
            return;
        }

        if (!Remove(key) && IsFull)
        {
            Evict();
        }

        var node = _spare ?? new LinkedListNode<Entry>(default);
        _spare = null;
        node.Value = new Entry(key, value, rank);
        _entries.Add(key, node);
        _ranks[rank].AddLast(node);
    }

    internal bool Remove(TKey key)
    {
        if (!_entries.Remove(key, out var node))
        {
            return false;
        }

        _ranks[node.Value.Rank].Remove(node);
        node.Value = default;
        _spare = node;
        return true;
    }

    /// <summary>
    /// Evicts an entry to make room for another: the first that is the oldest of its rank and expendable, else the oldest of the lowest rank.
    /// </summary>
    /// <param name="isExpendable">Whether an entry, the oldest of its rank, may go before all others; null for none.</param>
    /// <param name="highestRank">The highest rank of which another entry is evicted.</param>
    /// <returns>Whether there is room now.</returns>
    internal bool TryEvict(Func<TValue, bool>? isExpendable, int highestRank)
    {
        var victim = isExpendable is null ? null : _ranks.FirstOrDefault(rank => rank.First is { } oldest && isExpendable(oldest.Value.Value))?.First;
        victim ??= _ranks.Take(highestRank + 1).FirstOrDefault(rank => rank.Count > 0)?.First;
        return victim is not null && Remove(victim.Value.Key);
    }

    private void Evict() => TryEvict(null, _ranks.Length - 1);

    private readonly record struct Entry(TKey Key, TValue Value, int Rank);
}
