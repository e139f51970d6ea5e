using System.ComponentModel;
using System.Diagnostics;

namespace MutualAuth.Testing.BadPeers;

/// <summary>What the processes of the judged side have spent so far, and which of them there are.</summary>
internal sealed class ProcessorMeter
{
    private readonly Dictionary<int, TimeSpan> _spent;

    private ProcessorMeter(Dictionary<int, TimeSpan> spent) => _spent = spent;

    /// <summary>Null where the processes are not known, or the function that should know them throws.</summary>
    internal static ProcessorMeter? Read(GalleryRunOptions options)
    {
        if (options.Processes is not { } processes)
        {
            return null;
        }

        try
        {
            return new ProcessorMeter(processes().Distinct().Select(id => (id, Spent: SpentBy(id))).Where(process => process.Spent is not null)
                .ToDictionary(process => process.id, process => process.Spent!.Value));
        }
        catch (Exception)
        {
            return null;
        }
    }

    /// <summary>Puts what was spent since this reading into what was seen; a process that has ended leaves no refusal to believe in.</summary>
    internal Sighting Add(Sighting seen, GalleryRunOptions options)
    {
        if (Read(options)?._spent is not { } now)
        {
            return seen;
        }

        var ended = _spent.Keys.Where(id => !now.ContainsKey(id)).ToList();
        var spent = now.Aggregate(TimeSpan.Zero, (sum, entry) => sum + entry.Value - _spent.GetValueOrDefault(entry.Key));
        return ended.Count > 0 && seen.Outcome == PeerOutcome.Refused
            ? Sighting.Unclear($"process {string.Join(", ", ended)} of the judged side ended ({seen.Detail})") with { ProcessorTime = spent }
            : seen with { ProcessorTime = spent };
    }

    /// <summary>Null when it has ended, or is not ours to look at.</summary>
    private static TimeSpan? SpentBy(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return process.TotalProcessorTime;
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException or Win32Exception)
        {
            return null;
        }
    }
}
