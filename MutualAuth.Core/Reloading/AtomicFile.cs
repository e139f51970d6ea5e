using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace MutualAuth.Reloading;

/// <summary>The steps of a file replacement; a crash is possible after each.</summary>
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
/// Replaces a file so that a reader, also after a crash or a power failure, finds either the complete old content or the complete new one.
/// </summary>
internal static class AtomicFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>
    /// Writes a new file beside <paramref name="path"/>, with its owner, group, mode and access list, flushes it to disk, and renames it
    /// over the old one. The caller holds the lock. If the program runs as another user than the readers of the file, they must keep their
    /// access.
    /// </summary>
    /// <param name="path">The file to replace, or to create.</param>
    /// <param name="content">The new content.</param>
    /// <param name="onStep">Called at each step; an exception stops the replacement there, as a crash would.</param>
    /// <exception cref="IOException">
    /// The replacement failed, perhaps because owner or mode cannot be kept; the old content remains, unless only the last flush of the
    /// directory failed.
    /// </exception>
    internal static void Replace(string path, ReadOnlySpan<byte> content, Action<ReplaceStep>? onStep)
    {
        // A crash may have left it. It is created again, so that its mode is not reused and a link in its place is not followed.
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

    /// <summary>Creates a file with this content unless it exists; safe against concurrent callers in other processes.</summary>
    /// <exception cref="IOException">The file could not be created.</exception>
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
            // Another writer was faster, and created it completely.
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
            // The next replacement deletes it, or reports why it cannot.
        }
    }

    /// <summary>A rename is durable once the directory is flushed. The framework cannot open directories, so the system is called directly.</summary>
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
            // EINVAL: the file system does not support this, and there is no alternative.
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
