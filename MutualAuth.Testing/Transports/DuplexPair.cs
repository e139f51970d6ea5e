namespace MutualAuth.Testing.Transports;

/// <summary>Two streams that are each other's far end, in memory: a connection whose wire can be watched and made to fail.</summary>
/// <remarks>
/// It behaves like a TCP connection: bounded buffers with back-pressure, half-close, end of stream after what was sent, an error after a reset,
/// timeouts of synchronous calls. Safe for concurrent use, as sockets are: reads, and writes, are served one after the other, each as a whole.
/// </remarks>
public sealed class DuplexPair : IDisposable, IAsyncDisposable
{
    private readonly FlightLog _flights = new();

    /// <summary>Makes a connected pair.</summary>
    /// <param name="timeProvider">
    /// The clock of <see cref="DuplexDirection.Latency"/>, <see cref="DuplexDirection.BytesPerSecond"/> and the timeouts of the streams; null for
    /// the system's. A fake makes the wire stand still until it is moved on.
    /// </param>
    /// <param name="capacity">How many octets each direction holds before writers wait. Default: 256 KiB.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="capacity"/> is zero or negative.</exception>
    public DuplexPair(TimeProvider? timeProvider = null, int capacity = 256 * 1024)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        var clock = timeProvider ?? TimeProvider.System;
        var gate = new object();
        ClientToServer = new DuplexDirection(gate, Direction.ClientToServer, clock, capacity, _flights);
        ServerToClient = new DuplexDirection(gate, Direction.ServerToClient, clock, capacity, _flights);
        ClientToServer.Opposite = ServerToClient;
        ServerToClient.Opposite = ClientToServer;
        Client = new DuplexStream(ServerToClient, ClientToServer, clock);
        Server = new DuplexStream(ClientToServer, ServerToClient, clock);
    }

    /// <summary>The end for the side that speaks first.</summary>
    public DuplexStream Client { get; }

    /// <summary>The end for the side that answers.</summary>
    public DuplexStream Server { get; }

    /// <summary>The wire from the client to the server, with its faults.</summary>
    public DuplexDirection ClientToServer { get; }

    /// <summary>The wire from the server to the client, with its faults.</summary>
    public DuplexDirection ServerToClient { get; }

    /// <summary>
    /// What has gone over the wire so far: one entry for each change of direction. Where both sides write at once, who came first is chance;
    /// <see cref="DuplexStream.Trips"/> does not depend on it.
    /// </summary>
    public IReadOnlyList<Flight> Flights => _flights.Snapshot();

    /// <summary>The faults of both directions, those from the client to the server first; see <see cref="DuplexDirection.Faults"/>.</summary>
    public IReadOnlyList<WireFault> Faults => [.. ClientToServer.Faults, .. ServerToClient.Faults];

    /// <summary>Cuts the connection as a reset does: both ends fail from here on.</summary>
    public void Reset() => ClientToServer.Reset();

    /// <summary>Closes both ends.</summary>
    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
    }

    /// <summary>Closes both ends.</summary>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }
}
