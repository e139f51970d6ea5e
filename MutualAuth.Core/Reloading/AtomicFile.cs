using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace MutualAuth.Reloading;

/// <summary>Where a replacement of a file has got to; a crash may come at each.</summary>
internal enum ReplaceStep
{
    Begun,
    HalfWritten,
    Written,
    Flushed,
    Renamed,
    Durable,
}

/// <summary>
/// Replaces a file atomically: a reader, also after a crash or power loss, finds either the whole old content or the whole new content.
/// </summary>
internal static class AtomicFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>
    /// Writes a new file beside <paramref name="path"/>, with its owner, group, mode and access list, makes it durable, and renames it over it. The
    /// caller holds the lock. A program that runs as another user than those who read the file must not take it away from them.
    /// </summary>
    /// <param name="path">The file to replace, or to make.</param>
    /// <param name="content">What it shall hold.</param>
    /// <param name="onStep">Told of each step; what it throws stops there, as a crash would.</param>
    /// <exception cref="IOException">
    /// It failed, perhaps because owner or mode cannot be kept; the old content stands, unless only the last flush of the directory failed.
    /// </exception>
    internal static void Replace(string path, ReadOnlySpan<byte> content, Action<ReplaceStep>? onStep)
    {
        // Left by a crash, if it is there. Recreated, so that neither its mode nor a link in its place counts.
        var temporary = path + ".new";
        File.Delete(temporary);
        onStep?.Invoke(ReplaceStep.Begun);
        try
        {
            Write(temporary, content, onStep, likeThat: path);
            if (OperatingSystem.IsWindows() && File.Exists(path))
            {
                File.Replace(temporary, path, destinationBackupFileName: null); // keeps the access list of the old one
            }
            else
            {
                File.Move(temporary, path, overwrite: true);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            TryDelete(temporary);
            throw;
        }

        onStep?.Invoke(ReplaceStep.Renamed);
        FlushDirectory(Path.GetDirectoryName(path)!);
        onStep?.Invoke(ReplaceStep.Durable);
    }

    /// <summary>Makes a file with this content unless there is one, whoever else tries at the same time.</summary>
    /// <exception cref="IOException">It failed.</exception>
    internal static void CreateUnlessExists(string path, ReadOnlySpan<byte> content)
    {
        var temporary = $"{path}.{Guid.NewGuid():N}.new";
        try
        {
            Write(temporary, content, onStep: null, likeThat: null);
            File.Move(temporary, path, overwrite: false);
            FlushDirectory(Path.GetDirectoryName(path)!);
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another process was faster and wrote the whole file.
        }
        finally
        {
            TryDelete(temporary);
        }
    }

    private static void Write(string path, ReadOnlySpan<byte> content, Action<ReplaceStep>? onStep, string? likeThat)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        using var file = new FileStream(path, options);
        if (!OperatingSystem.IsWindows() && likeThat is not null && File.Exists(likeThat))
        {
            using var old = File.OpenHandle(likeThat, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            FileRights.Copy(old, file.SafeFileHandle);
        }

        file.Write(content[..(content.Length / 2)]);
        onStep?.Invoke(ReplaceStep.HalfWritten);
        file.Write(content[(content.Length / 2)..]);
        onStep?.Invoke(ReplaceStep.Written);
        file.Flush(flushToDisk: true);
        onStep?.Invoke(ReplaceStep.Flushed);
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The next replacement deletes it, or says why it cannot.
        }
    }

    /// <summary>A rename is durable once the directory is. The framework opens no directories, so the system is asked itself.</summary>
    private static void FlushDirectory(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var descriptor = Native.Open(Encoding.UTF8.GetBytes(directory + '\0'), Native.ReadOnly);
        if (descriptor < 0)
        {
            throw Native.LastError(directory);
        }

        try
        {
            // EINVAL: a file system that has no such thing, and nothing better to offer.
            if (Native.FSync(descriptor) != 0 && Marshal.GetLastPInvokeError() != Native.InvalidArgument)
            {
                throw Native.LastError(directory);
            }
        }
        finally
        {
            _ = Native.Close(descriptor);
        }
    }

    private static class Native
    {
        internal const int ReadOnly = 0;
        internal const int InvalidArgument = 22;

        internal static IOException LastError(string directory) =>
            new($"The directory {directory} cannot be made durable: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");

        [DllImport("libc", EntryPoint = "open", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int Open(byte[] path, int flags);

        [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int FSync(int descriptor);

        [DllImport("libc", EntryPoint = "close")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int Close(int descriptor);
    }
}
