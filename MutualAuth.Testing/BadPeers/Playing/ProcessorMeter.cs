using System.ComponentModel;
using System.Diagnostics;

namespace MutualAuth.Testing.BadPeers;

/// <summary>What the processes of the judged side have spent so far, and which of them there are.</summary>
internal sealed class ProcessorMeter
{
    private readonly Dictionary<int, TimeSpan> _spent = [];

    private ProcessorMeter(IEnumerable<int> processes)
    {
        foreach (var id in processes)
        {
            try
            {
                using var process = Process.GetProcessById(id);
                _spent[id] = process.TotalProcessorTime;
            }
            catch (Exception exception) when (exception is ArgumentException or InvalidOperationException or Win32Exception)
            {
                // It has ended, or is not ours to look at.
            }
        }
    }

    /// <summary>Null where the processes are not known.</summary>
    internal static ProcessorMeter? Read(GalleryRunOptions options) => options.Processes is { } processes ? new ProcessorMeter(processes()) : null;

    /// <summary>Puts what was spent since this reading into what was seen; a process that has ended leaves no refusal to believe in.</summary>
    internal Sighting Add(Sighting seen, GalleryRunOptions options)
    {
        var now = Read(options)!._spent;
        var ended = _spent.Keys.Where(id => !now.ContainsKey(id)).ToList();
        var spent = now.Aggregate(TimeSpan.Zero, (sum, entry) => sum + entry.Value - _spent.GetValueOrDefault(entry.Key));
        return ended.Count > 0 && seen.Outcome == PeerOutcome.Refused
            ? Sighting.Unclear($"process {string.Join(", ", ended)} of the judged side ended ({seen.Detail})") with { ProcessorTime = spent }
            : seen with { ProcessorTime = spent };
    }
}
