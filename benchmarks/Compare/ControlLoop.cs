using System.Globalization;
using System.Runtime;

namespace MutualAuth.Benchmarks.Compare;

/// <summary>What a process under measurement says of itself, one line for each line that it is sent.</summary>
internal static class ControlLoop
{
    /// <summary>
    /// Processor time, in nanoseconds, bytes allocated on the managed heap, and methods compiled by the runtime, since the process began.
    /// </summary>
    internal static string Usage() => string.Create(
        CultureInfo.InvariantCulture,
        $"cpu {Environment.CpuUsage.TotalTime.Ticks * 100} {GC.GetTotalAllocatedBytes(precise: true)} {JitInfo.GetCompiledMethodCount()}");

    /// <summary>Answers with the usage until the end of the input.</summary>
    internal static async Task AnswerAsync(int port)
    {
        Console.WriteLine($"ready {port}");
        while (await Console.In.ReadLineAsync() is { } line)
        {
            if (line == "collect")
            {
                GC.Collect();
            }

            Console.WriteLine(Usage());
        }
    }
}
