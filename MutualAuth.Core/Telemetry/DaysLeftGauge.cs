using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace MutualAuth.Telemetry;

/// <summary>The materials whose expiry is watched, for the gauge of days left.</summary>
internal static class DaysLeftGauge
{
    private static readonly ConcurrentDictionary<object, Func<(string Material, string Name, double DaysLeft)?>> s_watched = new();

    /// <summary>Adds a watch. The instrument exists from then on, also before the first handshake.</summary>
    internal static void Add(object watch, Func<(string Material, string Name, double DaysLeft)?> read)
    {
        _ = MutualAuthTelemetry.DaysLeft;
        s_watched[watch] = read;
    }

    internal static void Remove(object watch) => s_watched.TryRemove(watch, out _);

    internal static IEnumerable<Measurement<double>> Read()
    {
        foreach (var read in s_watched.Values)
        {
            if (TryRead(read) is var (material, name, daysLeft))
            {
                yield return new Measurement<double>(
                    daysLeft,
                    new KeyValuePair<string, object?>("mutualauth.material", material),
                    new KeyValuePair<string, object?>("mutualauth.name", name));
            }
        }
    }

    /// <summary>An application's source that throws yields no measurement; the other sources are still measured.</summary>
    private static (string Material, string Name, double DaysLeft)? TryRead(Func<(string Material, string Name, double DaysLeft)?> read)
    {
        try
        {
            return read();
        }
        catch (Exception)
        {
            return null;
        }
    }
}
