using System.Diagnostics.Metrics;

namespace MutualAuth.Hosting.Running;

/// <summary>What is measured about handlers, with a meter of the container's factory where it has one.</summary>
internal sealed class HostingMeter : IDisposable
{
    internal const string Name = "MutualAuth.Hosting";

    private readonly Meter? _own;

    public HostingMeter(IServiceProvider services)
    {
        var factory = (IMeterFactory?)services.GetService(typeof(IMeterFactory));
        var meter = factory?.Create(Name) ?? (_own = new Meter(Name));
        Active = meter.CreateUpDownCounter<int>(
            "mutualauth.handler.active", unit: "{connection}", description: "Connections that are being served by a handler.");
        Duration = meter.CreateHistogram<double>("mutualauth.handler.duration", unit: "s", description: "How long connections were served.");
    }

    private UpDownCounter<int> Active { get; }

    private Histogram<double> Duration { get; }

    internal void CountActive(int change, KeyValuePair<string, object?> tag) => Try(() => Active.Add(change, tag));

    internal void NoteDuration(TimeSpan duration, KeyValuePair<string, object?> tag, KeyValuePair<string, object?> outcome) =>
        Try(() => Duration.Record(duration.TotalSeconds, tag, outcome));

    public void Dispose() => _own?.Dispose(); // the factory disposes of its meters itself

    // A listener of the application's may throw; the connection is served, and given back, all the same.
    private static void Try(Action measure)
    {
        try
        {
            measure();
        }
        catch (Exception)
        {
            // There is no other place to report it.
        }
    }
}
