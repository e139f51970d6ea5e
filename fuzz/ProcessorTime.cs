using System.Runtime.InteropServices;

namespace MutualAuth.Fuzz;

/// <summary>The processor time of this thread, which does not count what else the machine does. Linux only.</summary>
internal static partial class ProcessorTime
{
    private const int ThreadClock = 3; // CLOCK_THREAD_CPUTIME_ID

    /// <summary>What a piece of work took, in microseconds, and the octets of memory that it allocated.</summary>
    internal static (double Microseconds, long Allocated) Of(Action work)
    {
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var began = Now();
        work();
        return (Now() - began, GC.GetAllocatedBytesForCurrentThread() - allocated);
    }

    private static double Now()
    {
        _ = GetTime(ThreadClock, out var time);
        return (time.Seconds * 1e6) + (time.Nanoseconds / 1e3);
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        internal nint Seconds;
        internal nint Nanoseconds;
    }
}
