namespace MutualAuth.Testing.Transports;

/// <summary>
/// The faults of one direction: at most one stall, one reset, one end, and one corruption of each octet. Not safe for concurrent use.
/// </summary>
internal sealed class FaultTable(Direction direction)
{
    private const long Never = long.MaxValue;
    private readonly List<WireFault> _listed = [];
    private readonly SortedDictionary<long, (WireFault Fault, byte Mask)> _corruptions = [];
    private WireFault? _stall;
    private WireFault? _reset;
    private WireFault? _end;

    internal IReadOnlyList<WireFault> Listed => [.. _listed];

    internal long StallAt => _stall?.Position ?? Never;

    internal long ResetAt => _reset?.Position ?? Never;

    internal long EndAt => _end?.Position ?? Never;

    internal WireFault Corrupt(long position, byte mask)
    {
        var fault = List(WireFaultKind.Corruption, position, earlier => earlier.Position == position);
        _corruptions[position] = (fault, mask);
        return fault;
    }

    internal WireFault Stall(long position) => _stall = List(WireFaultKind.Stall, position);

    internal WireFault Reset(long position) => _reset = List(WireFaultKind.Reset, position);

    internal WireFault End(long position) => _end = List(WireFaultKind.End, position);

    /// <summary>The stall holds nothing back any more; what is listed says whether it ever did.</summary>
    internal void Lift() => _stall = null;

    internal void StallHappens() => _stall?.Happen();

    internal void ResetHappens() => _reset?.Happen();

    internal void EndHappens() => _end?.Happen();

    /// <summary>Changes octets on their way to the reader, of which the first is at <paramref name="from"/>.</summary>
    internal void Apply(Span<byte> octets, long from)
    {
        foreach (var (position, (fault, mask)) in _corruptions)
        {
            if (position >= from && position < from + octets.Length)
            {
                octets[(int)(position - from)] ^= mask;
                fault.Happen();
            }
        }
    }

    private WireFault List(WireFaultKind kind, long position, Predicate<WireFault>? takesThePlaceOf = null)
    {
        _listed.RemoveAll(earlier => earlier.Kind == kind && takesThePlaceOf?.Invoke(earlier) != false);
        var fault = new WireFault(direction, kind, position);
        _listed.Add(fault);
        return fault;
    }
}
