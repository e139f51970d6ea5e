namespace MutualAuth.Testing.Transports;

/// <summary>What is under way in one direction, in the order in which it was written. Not safe for concurrent use.</summary>
internal sealed class OctetQueue
{
    private readonly LinkedList<Segment> _segments = new();

    internal int Count { get; private set; }

    internal bool IsEmpty => Count == 0;

    /// <summary>The trip with which the next octet came; there must be one.</summary>
    internal int Trip => _segments.First!.Value.Trip;

    /// <summary>When the next octet arrives; there must be one.</summary>
    internal long ArrivesAt => _segments.First!.Value.ArrivesAt;

    internal void Add(ReadOnlySpan<byte> octets, int trip, long arrivesAt)
    {
        if (!octets.IsEmpty)
        {
            _segments.AddLast(new Segment(octets.ToArray(), trip, arrivesAt));
            Count += octets.Length;
        }
    }

    /// <summary>Moves what is left of the first write to <paramref name="buffer"/>, as much as it has room for.</summary>
    internal int Take(Span<byte> buffer)
    {
        var count = Math.Min(buffer.Length, _segments.First!.Value.Octets.Length);
        _segments.First.Value.Octets.Span[..count].CopyTo(buffer);
        return Drop(count);
    }

    /// <summary>Drops what is left of the first write, at most <paramref name="most"/> octets.</summary>
    internal int Drop(long most)
    {
        var first = _segments.First!.Value;
        var count = (int)Math.Min(most, first.Octets.Length);
        _segments.RemoveFirst();
        Count -= count;
        if (count < first.Octets.Length)
        {
            _segments.AddFirst(first with { Octets = first.Octets[count..] });
        }

        return count;
    }

    /// <summary>Drops what comes after the next <paramref name="kept"/> octets.</summary>
    internal void Truncate(long kept)
    {
        while (Count > kept)
        {
            var last = _segments.Last!.Value;
            var surplus = (int)Math.Min(Count - kept, last.Octets.Length);
            _segments.RemoveLast();
            Count -= surplus;
            if (surplus < last.Octets.Length)
            {
                _segments.AddLast(last with { Octets = last.Octets[..^surplus] });
            }
        }
    }

    internal void Clear()
    {
        _segments.Clear();
        Count = 0;
    }

    private readonly record struct Segment(ReadOnlyMemory<byte> Octets, int Trip, long ArrivesAt);
}
