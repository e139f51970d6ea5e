using System.ComponentModel;
using System.Diagnostics;

namespace MutualAuth.Testing.BadPeers;

/// <summary>What the processes of the judged side have spent so far, and which of them there are.</summary>
internal sealed class ProcessorMeter
{
    private readonly Dictionary<int, TimeSpan> _spent;
    private readonly string? _failure;

    private ProcessorMeter(Dictionary<int, TimeSpan> spent, string? failure) => (_spent, _failure) = (spent, failure);

    /// <summary>Null where no processes are named.</summary>
    internal static ProcessorMeter? Read(GalleryRunOptions options)
    {
        if (options.Processes is not { } processes)
        {
            return null;
        }

        try
        {
            return new ProcessorMeter(
                processes().Distinct().Select(id => (id, Spent: SpentBy(id))).Where(process => process.Spent is not null)
                    .ToDictionary(process => process.id, process => process.Spent!.Value),
                failure: null);
        }
        catch (Exception exception)
        {
            return new ProcessorMeter([], $"{exception.GetType().Name}: {exception.Message}");
        }
    }

    /// <summary>
    /// Puts what was spent since this reading into what was seen. A process that has ended leaves no refusal to believe in, and nor do processes
    /// that cannot be read, which may have ended too.
    /// </summary>
    internal Sighting Add(Sighting seen, GalleryRunOptions options)
    {
        var now = Read(options)!;
        var ended = _spent.Keys.Where(id => now._failure is null && !now._spent.ContainsKey(id)).ToList();
        var blind = _failure ?? now._failure ?? (_spent.Count == 0 ? "none of them is there" : null);
        var doubt = ended.Count > 0 ? $"process {string.Join(", ", ended)} of the judged side ended"
            : blind is not null ? $"the processes of the judged side cannot be read: {blind}"
            : null;
        if (doubt is not null && seen.Outcome == PeerOutcome.Refused)
        {
            seen = Sighting.Unclear($"{doubt} ({seen.Detail})") with { Elapsed = seen.Elapsed };
        }

        return blind is not null ? seen : seen with
        {
            ProcessorTime = now._spent.Aggregate(TimeSpan.Zero, (sum, entry) => sum + entry.Value - _spent.GetValueOrDefault(entry.Key)),
        };
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
