namespace MutualAuth.Reloading;

/// <summary>A lock between processes: a file that is held open for one of them alone (flock on Unix, sharing modes on Windows).</summary>
/// <remarks>
/// The system lets go of it when its holder dies, so that it is never stale. The file itself stays: were it deleted, two processes could
/// hold one of the same name each. Whether it excludes anybody is tried each time, as there are processes that are told to do without locks
/// (System.IO.DisableFileLocking) and file systems that have none; on network file systems it is as good as their flock.
/// </remarks>
internal static class FileLock
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromMilliseconds(50);

    /// <summary>Takes the lock; disposing of the result lets go of it.</summary>
    /// <exception cref="MaterialException">It cannot be had: no right to, no such directory, somebody holds it for ten seconds, or locks exclude nobody here.</exception>
    internal static async Task<IDisposable> AcquireAsync(string path, CancellationToken cancellationToken)
    {
        if (IsDisabled)
        {
            throw new MaterialException($"This process is told to do without file locks (System.IO.DisableFileLocking); what others write at the same time would be lost. {path} is not taken.");
        }

        var began = TimeProvider.System.GetTimestamp();
        for (var pause = TimeSpan.FromMilliseconds(1); ; pause = pause * 2 < s_longestPause ? pause * 2 : s_longestPause)
        {
            try
            {
                return Excluding(new FileStream(path, Options()), path);
            }
            catch (Exception exception) when (exception is UnauthorizedAccessException or DirectoryNotFoundException or NotSupportedException || IsOverdue(exception, began))
            {
                throw new MaterialException($"The lock {path} cannot be had: {exception.Message}", exception);
            }
            catch (IOException)
            {
                await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Whether the process was told to do without file locks; then two writers could lose each other's peers.</summary>
    internal static bool IsDisabled =>
        (AppContext.TryGetSwitch("System.IO.DisableFileLocking", out var byContext) && byContext)
        || Environment.GetEnvironmentVariable("DOTNET_SYSTEM_IO_DISABLEFILELOCKING") is { } byEnvironment
            && (byEnvironment == "1" || byEnvironment.Equals("true", StringComparison.OrdinalIgnoreCase));

    /// <summary>The lock, once it has kept out a second taker.</summary>
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
        throw new MaterialException($"The lock {path} excludes nobody: this file system, or this process, has no file locks. What others write at the same time would be lost; use a local file system.");
    }

    private static bool IsOverdue(Exception exception, long began) => exception is IOException && TimeProvider.System.GetElapsedTime(began) > s_patience;

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
