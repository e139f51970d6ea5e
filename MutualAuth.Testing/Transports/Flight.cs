using System.Collections.Immutable;

namespace MutualAuth.Testing.Transports;

/// <summary>Which way octets go.</summary>
public enum Direction
{
    /// <summary>From the side that speaks first.</summary>
    ClientToServer = 1,

    /// <summary>From the side that answers.</summary>
    ServerToClient = 2,
}

/// <summary>Octets that went one way without any going the other way in between.</summary>
/// <param name="Direction">Which way.</param>
/// <param name="Octets">How many.</param>
public sealed record Flight(Direction Direction, long Octets);

/// <summary>Notes each write of a pair, and tells flights apart.</summary>
internal sealed class FlightLog
{
    private ImmutableList<Flight> _flights = [];

    internal void Record(Direction direction, int octets) => ImmutableInterlocked.Update(
        ref _flights,
        (flights, sent) => flights is [.., { } last] && last.Direction == sent.direction
            ? flights.SetItem(flights.Count - 1, last with { Octets = last.Octets + sent.octets })
            : flights.Add(new Flight(sent.direction, sent.octets)),
        (direction, octets));

    internal IReadOnlyList<Flight> Snapshot() => _flights;
}
