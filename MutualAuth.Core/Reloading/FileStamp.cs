using Microsoft.Win32.SafeHandles;

namespace MutualAuth.Reloading;

/// <summary>
/// Distinguishes one content of a file from another without reading it, and other rights. A replaced file has another creation time.
/// </summary>
internal readonly record struct FileStamp(long Length, DateTime Changed, DateTime Born, UnixFileMode? Mode)
{
    // Clocks of file systems tick as coarsely as two seconds: a second change within one tick shows in no stamp.
    internal static readonly TimeSpan Settling = TimeSpan.FromSeconds(3);

    /// <summary>Whether the stamp is old enough, at the time of reading, that any later change must show in it.</summary>
    internal bool IsSettledAt(DateTimeOffset now) => now.UtcDateTime - Changed > Settling;

    /// <summary>The stamp of a file; a missing file has a stamp too, with length -1.</summary>
    internal static FileStamp Of(string path)
    {
        var file = new FileInfo(path);
        return file.Exists
            ? new FileStamp(file.Length, file.LastWriteTimeUtc, file.CreationTimeUtc, OperatingSystem.IsWindows() ? null : file.UnixFileMode)
            : new FileStamp(-1, default, default, Mode: null);
    }

    /// <summary>The stamp of an open file, after all links were resolved.</summary>
    internal static FileStamp Of(SafeFileHandle file) =>
        new(
            RandomAccess.GetLength(file),
            File.GetLastWriteTimeUtc(file),
            File.GetCreationTimeUtc(file),
            OperatingSystem.IsWindows() ? null : File.GetUnixFileMode(file));
}
