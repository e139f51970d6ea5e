using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace MutualAuth.Telemetry;

/// <summary>The materials whose end is watched, for the gauge of days left.</summary>
internal static class DaysLeftGauge
{
    private static readonly ConcurrentDictionary<object, Func<(string Material, string Name, double DaysLeft)?>> s_watched = new();

    internal static void Add(object watch, Func<(string Material, string Name, double DaysLeft)?> read) => s_watched[watch] = read;

    internal static void Remove(object watch) => s_watched.TryRemove(watch, out _);

    internal static IEnumerable<Measurement<double>> Read()
    {
        foreach (var read in s_watched.Values)
        {
            if (read() is var (material, name, daysLeft))
            {
                yield return new Measurement<double>(
                    daysLeft, new KeyValuePair<string, object?>("mutualauth.material", material), new KeyValuePair<string, object?>("mutualauth.name", name));
            }
        }
    }
}
