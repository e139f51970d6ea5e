using System.Diagnostics.Metrics;

namespace MutualAuth.Stress.Support;

/// <summary>What the library's own instruments say: connections open, handshakes under way, outcomes.</summary>
internal sealed class Meters : IDisposable
{
    private readonly MeterListener _listener = new();
    private int _connections;
    private int _handshakes;
    private int _outcomes;

    internal Meters()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == MutualAuthTelemetry.SourceName)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<int>(OnChange);
        _listener.SetMeasurementEventCallback<double>(OnOutcome);
        _listener.Start();
    }

    internal int Connections => Volatile.Read(ref _connections);

    internal int Handshakes => Volatile.Read(ref _handshakes);

    internal int Outcomes => Volatile.Read(ref _outcomes);

    /// <summary>Waits a while for both to come back to nought; gives what is left of them.</summary>
    internal async Task<int> LeftAsync(TimeSpan patience)
    {
        var until = DateTime.UtcNow + patience;
        while (Connections + Handshakes != 0 && DateTime.UtcNow < until)
        {
            await Task.Delay(20);
        }

        return Math.Abs(Connections) + Math.Abs(Handshakes);
    }

    public void Dispose() => _listener.Dispose();

    private void OnChange(Instrument instrument, int by, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        switch (instrument.Name)
        {
            case "mutualauth.connection.open":
                Interlocked.Add(ref _connections, by);
                break;
            case "mutualauth.handshake.active":
                Interlocked.Add(ref _handshakes, by);
                break;
        }
    }

    private void OnOutcome(Instrument instrument, double seconds, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        if (instrument.Name == "mutualauth.handshake.duration")
        {
            Interlocked.Increment(ref _outcomes);
        }
    }
}
