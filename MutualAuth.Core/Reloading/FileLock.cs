namespace MutualAuth.Reloading;

/// <summary>A lock between processes: a file that only one of them holds open (flock on Unix, sharing modes on Windows).</summary>
/// <remarks>
/// The system releases it when its holder ends, so that it is never stale. The file itself stays: if it were deleted, two processes could
/// each hold a file of the same name. Whether the lock excludes other processes is tested each time, because locks may be disabled in a
/// process (System.IO.DisableFileLocking) and some file systems have none; on network file systems it is as good as their flock.
/// </remarks>
internal static class FileLock
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_shortestPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromMilliseconds(50);

    /// <summary>Takes the lock; disposing of the result releases it.</summary>
    /// <exception cref="MaterialException">
    /// The lock cannot be taken: the permission or the directory is missing, another process holds it for ten seconds, or locks do not work
    /// here.
    /// </exception>
    internal static async Task<IDisposable> AcquireAsync(string path, CancellationToken cancellationToken)
    {
        ThrowIfDisabled(path);
        var began = TimeProvider.System.GetTimestamp();
        for (var pause = s_shortestPause; ; pause = Longer(pause))
        {
            if (TryOpen(path, began) is { } held)
            {
                return held;
            }

            await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The same, for callers that cannot await: the thread waits, for files whose writers hold the lock for milliseconds.</summary>
    /// <exception cref="MaterialException">As above.</exception>
    internal static IDisposable Acquire(string path)
    {
        ThrowIfDisabled(path);
        var began = TimeProvider.System.GetTimestamp();
        for (var pause = s_shortestPause; ; pause = Longer(pause))
        {
            if (TryOpen(path, began) is { } held)
            {
                return held;
            }

            // No one tells when another process lets go, and the caller cannot await: 50 ms at most each time, ten seconds in all.
            Thread.Sleep(pause);
        }
    }

    /// <summary>Takes the lock at once, or not at all; disposing of the result releases it.</summary>
    /// <exception cref="MaterialException">Another holds it, it cannot be opened, or locks do not work here.</exception>
    internal static IDisposable AcquireNow(string path)
    {
        if (IsDisabled)
        {
            throw new MaterialException($"File locks are disabled in this process (System.IO.DisableFileLocking). The lock {path} is not taken.");
        }

        try
        {
            return Excluding(new FileStream(path, Options()), path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MaterialException($"The lock {path} cannot be taken: {exception.Message}", exception);
        }
    }

    /// <summary>Whether file locks are disabled in this process; then two writers could lose each other's changes.</summary>
    internal static bool IsDisabled =>
        (AppContext.TryGetSwitch("System.IO.DisableFileLocking", out var byContext) && byContext)
        || Environment.GetEnvironmentVariable("DOTNET_SYSTEM_IO_DISABLEFILELOCKING") is { } byEnvironment
            && (byEnvironment == "1" || byEnvironment.Equals("true", StringComparison.OrdinalIgnoreCase));

    private static void ThrowIfDisabled(string path)
    {
        if (IsDisabled)
        {
            throw new MaterialException(
                $"File locks are disabled in this process (System.IO.DisableFileLocking); concurrent changes could be lost. The lock {path} "
                    + "is not taken.");
        }
    }

    private static TimeSpan Longer(TimeSpan pause) => pause * 2 < s_longestPause ? pause * 2 : s_longestPause;

    /// <summary>The lock; null while another holds it.</summary>
    private static FileStream? TryOpen(string path, long began)
    {
        try
        {
            return Excluding(new FileStream(path, Options()), path);
        }
        catch (Exception exception)
            when (exception is UnauthorizedAccessException or DirectoryNotFoundException or NotSupportedException || IsOverdue(exception, began))
        {
            throw new MaterialException($"The lock {path} cannot be taken: {exception.Message}", exception);
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>The lock, after a second attempt to take it has failed as it must.</summary>
    private static FileStream Excluding(FileStream held, string path)
    {
        try
        {
            new FileStream(path, Options()).Dispose();
        }
        catch (IOException)
        {
            return held;
        }

        held.Dispose();
        throw new MaterialException(
            $"The lock {path} has no effect: this file system, or this process, has no file locks. Concurrent changes could be lost; use a local "
                + "file system.");
    }

    private static bool IsOverdue(Exception exception, long began) =>
        exception is IOException && TimeProvider.System.GetElapsedTime(began) > s_patience;

    private static FileStreamOptions Options()
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return options;
    }
}
