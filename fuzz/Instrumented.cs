using System.Runtime.InteropServices;
using SharpFuzz.Common;

namespace MutualAuth.Fuzz;

/// <summary>Which edges of the instrumented library an input takes.</summary>
internal static unsafe class Instrumented
{
    /// <summary>By how much instrumented code may be slower than what is shipped.</summary>
    internal const int Slack = 8;

    private const int MapSize = 1 << 16;

    // Never given back: work that an input leaves behind on other threads still counts into it.
    private static readonly byte* s_map = (byte*)NativeMemory.AllocZeroed(MapSize);

    /// <summary>Reads an input, and returns its edges, each with the magnitude of how often it was taken, as afl-fuzz counts.</summary>
    internal static HashSet<int> EdgesOf(FuzzTarget target, byte[] input)
    {
        var map = new Span<byte>(s_map, MapSize);
        map.Clear();
        Trace.SharedMem = s_map;
        Trace.PrevLocation = 0;
        target.Read(input);
        var counts = map.ToArray();
        return [.. Enumerable.Range(0, MapSize).Where(edge => counts[edge] != 0).Select(edge => (edge * 8) + int.Min(7, int.Log2(counts[edge])))];
    }
}
