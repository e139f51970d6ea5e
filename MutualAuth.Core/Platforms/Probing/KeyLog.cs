using System.Text;

namespace MutualAuth.Platforms;

/// <summary>
/// Whether the secrets of connections are written to the file that <c>SSLKEYLOGFILE</c> names. The framework does it where a switch of the process is
/// on; OpenSSL 3.5 can be built to do it, and a preloaded library can, without any switch: then our own handshake stands in that file.
/// </summary>
internal static class KeyLog
{
    internal const string Variable = "SSLKEYLOGFILE";
    internal const string Switch = "System.Net.EnableSslKeyLogging";

    private const int Tail = 1 << 20;
    private const int RandomAt = 11;
    private const int RandomLength = 32;

    /// <summary>The file; null where the variable is not set.</summary>
    internal static string? FileName => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } name ? name : null;

    /// <summary>The framework was told to.</summary>
    internal static bool IsSwitchedOn => FileName is not null && AppContext.TryGetSwitch(Switch, out var isOn) && isOn;

    /// <summary>Looks whether handshakes of ours stand in the file.</summary>
    /// <param name="hellos">The records of our hellos, of handshakes that have succeeded.</param>
    internal static PlatformAnswer Look(IReadOnlyList<ReadOnlyMemory<byte>> hellos)
    {
        if (IsSwitchedOn)
        {
            return PlatformAnswer.Yes;
        }

        return FileName is { } file ? Look(file, hellos) : PlatformAnswer.No;
    }

    /// <summary>The same, of a file to which others than the framework may write.</summary>
    internal static PlatformAnswer Look(string file, IReadOnlyList<ReadOnlyMemory<byte>> hellos)
    {
        try
        {
            var info = new FileInfo(file);
            if (!info.Exists)
            {
                return Directory.Exists(file) || hellos.Count > 0 ? PlatformAnswer.No : PlatformAnswer.Unknown;
            }

            // A pipe or a device has no length, and reading it would wait, or take what is another's.
            if (info.Length == 0)
            {
                return PlatformAnswer.Unknown;
            }

            using var handle = File.OpenHandle(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var length = RandomAccess.GetLength(handle);
            var octets = new byte[Math.Min(Tail, length)];
            var count = RandomAccess.Read(handle, octets, length - octets.Length);
            var text = Encoding.ASCII.GetString(octets, 0, count);
            return hellos.Any(hello => IsIn(text, hello.Span)) ? PlatformAnswer.Yes
                : hellos.Count > 0 ? PlatformAnswer.No
                : PlatformAnswer.Unknown;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return PlatformAnswer.Unknown;
        }
    }

    private static bool IsIn(string text, ReadOnlySpan<byte> hello) => hello.Length >= RandomAt + RandomLength
        && text.Contains(Convert.ToHexStringLower(hello.Slice(RandomAt, RandomLength)), StringComparison.OrdinalIgnoreCase);
}
