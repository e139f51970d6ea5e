namespace MutualAuth.Testing.Transports;

/// <summary>A fault that a wire was told to have at an octet, and whether it has had it.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class WireFault
{
    private volatile bool _happened;

    internal WireFault(Direction direction, WireFaultKind kind, long position) => (Direction, Kind, Position) = (direction, kind, position);

    /// <summary>Which way the octets of the wire go.</summary>
    public Direction Direction { get; }

    /// <summary>What it does.</summary>
    public WireFaultKind Kind { get; }

    /// <summary>At which octet, from the start of the connection; the first is 0.</summary>
    public long Position { get; }

    /// <summary>
    /// Whether it has happened: the changed octet was delivered, the reset or the end took place, or all octets before a stall were delivered and
    /// it held something back. False for a fault whose octet has not been written, or not been read, so far.
    /// </summary>
    public bool Happened => _happened;

    /// <summary>The fault in words, such as <c>ClientToServer: Reset at octet 500, has not happened</c>.</summary>
    public override string ToString() => $"{Direction}: {Kind} at octet {Position}, {(Happened ? "has happened" : "has not happened")}";

    internal void Happen() => _happened = true;
}
