using System.Globalization;

namespace MutualAuth.Connections;

/// <summary>
/// How many file descriptors the process may have open (<c>RLIMIT_NOFILE</c>), and how many of them are reserved, that is not available to
/// unauthenticated peers.
/// </summary>
internal static class DescriptorLimit
{
    // Threads, files and the runtime itself need some: .NET ends the process when it cannot start a thread for want of a descriptor.
    private const int MinReserve = 24;
    private const int MaxReserve = 256;

    /// <summary>The limit, read once; null where the platform does not tell in a file, or there is none.</summary>
    internal static int? Current { get; } = Read("/proc/self/limits");

    /// <summary>The number from which on descriptors are kept for others.</summary>
    internal static int KeepFrom(int limit) => limit - Math.Clamp(limit / 8, MinReserve, MaxReserve);

    /// <summary>The number from which on accepting waits a moment for those that make room.</summary>
    internal static int HurryFrom(int limit) => (KeepFrom(limit) + limit) / 2;

    /// <summary>From this number on a new socket is closed if no pending one can be evicted.</summary>
    internal static int RefuseFrom(int limit) => limit - 8;

    /// <summary>How many strangers may be held by default: what the limit leaves, and no more than <paramref name="most"/>.</summary>
    internal static int Share(int most) => Current is { } limit ? Math.Clamp(KeepFrom(limit) / 4, 8, most) : most;

    /// <summary>Reads the soft limit out of a file in the form of <c>/proc/self/limits</c>.</summary>
    internal static int? Read(string path)
    {
        try
        {
            const string Name = "Max open files";
            var line = File.ReadLines(path).FirstOrDefault(line => line.StartsWith(Name, StringComparison.Ordinal));
            var soft = line?[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
            return int.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
