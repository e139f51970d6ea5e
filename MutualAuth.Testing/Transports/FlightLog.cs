using System.Collections.Immutable;

namespace MutualAuth.Testing.Transports;

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
