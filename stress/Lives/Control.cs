using System.Runtime.InteropServices;
using MutualAuth.Stress.Support;

namespace MutualAuth.Stress.Lives;

/// <summary>
/// Whether the checks of the heap would catch what the other scenarios look for: one octet is written behind a block, into what the allocator
/// gave beyond what was asked for, so that nothing but a check can notice. With glibc's checks the process must die of it, without them it must not.
/// </summary>
internal static class Control
{
    private const int BlockSize = 20; // a block of 24 octets is given for it
    private const string Library = "libc_malloc_debug.so.0";

    internal static Scenario Scenario { get; } = new(
        "control-heap-checks", "nothing of ours: a planted overflow, which the heap checks must catch", RunAsync)
    { Share = 0.4 };

    /// <summary>The process that has the overflow.</summary>
    internal static unsafe void Overflow()
    {
        for (var count = 0; count < 100; count++)
        {
            var block = (byte*)NativeMemory.Alloc(BlockSize);
            block[BlockSize] = 1;
            NativeMemory.Free(block);
        }
    }

    private static async Task RunAsync(Run run)
    {
        run.Figures.Note(
            "checked-in-this-run",
            IsChecked(Environment.GetEnvironmentVariable("LD_PRELOAD"), Environment.GetEnvironmentVariable("MALLOC_CHECK_")) ? "yes" : "no");
        run.Figures.RequiredCheck(await DiesAsync(Library, "3"), "planted-overflows-missed");
        run.Figures.RequiredCheck(!await DiesAsync("", "0"), "deaths-without-checks");
        run.Figures.Count("planted-overflows", 2);
    }

    private static bool IsChecked(string? preload, string? check) => preload?.Contains(Library, StringComparison.Ordinal) == true && check == "3";

    private static async Task<bool> DiesAsync(string preload, string check)
    {
        await using var child = Child.Start(
            ["role", "overflow"], environment: new Dictionary<string, string> { ["LD_PRELOAD"] = preload, ["MALLOC_CHECK_"] = check });
        return await child.WaitForExitAsync() != 0;
    }
}
