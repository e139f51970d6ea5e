using System.Security.Cryptography;
using System.Text;
using MutualAuth.Reloading;

namespace MutualAuth.Credentials;

/// <summary>
/// Consecutive failures in a directory: for each user who has some, a file with as many octets, named by the digest of the user's name.
/// </summary>
/// <remarks>
/// A failure adds one octet, under a lock on that file which all processes honour; the file of users is never written for it. The limit
/// bounds the size of a user's file. Safe for use from many threads.
/// </remarks>
internal sealed class FailureFiles
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromMilliseconds(20);

    private readonly string _directory;

    internal FailureFiles(string directory) => _directory = directory;

    internal int Find(string userName)
    {
        var file = new FileInfo(PathOf(userName));
        return file.Exists ? (int)Math.Min(file.Length, int.MaxValue) : 0;
    }

    /// <returns>How many there were before this one.</returns>
    /// <exception cref="MaterialException">The directory cannot be used, or locks have no effect here.</exception>
    internal async ValueTask<int> AddAsync(string userName, int limit, CancellationToken cancellationToken)
    {
        // Nothing is opened, nor waited for, once there are enough.
        if (Find(userName) is var found && found >= limit)
        {
            return found;
        }

        Prepare();
        using var file = await OpenAsync(PathOf(userName), cancellationToken).ConfigureAwait(false);
        var before = (int)Math.Min(file.Length, int.MaxValue);
        if (before < limit)
        {
            file.Position = before;
            file.WriteByte((byte)'.');
            file.Flush(flushToDisk: true);
        }

        return before;
    }

    internal void Clear(string userName)
    {
        if (Directory.Exists(_directory))
        {
            File.Delete(PathOf(userName));
        }
    }

    private string PathOf(string userName) => Path.Combine(_directory, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(userName))));

    private void Prepare()
    {
        if (FileLock.IsDisabled)
        {
            throw new MaterialException($"File locks are disabled in this process (System.IO.DisableFileLocking); failures are not counted "
                + $"in {_directory}.");
        }

        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(_directory);
            return;
        }

        Directory.CreateDirectory(_directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if ((File.GetUnixFileMode(_directory) & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0)
        {
            throw new MaterialException($"The directory {_directory} can be written by others than its owner, who could clear failures. Take "
                + $"that right away: chmod go-w {_directory}");
        }
    }

    private static async ValueTask<FileStream> OpenAsync(string path, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        var began = TimeProvider.System.GetTimestamp();
        for (var pause = TimeSpan.FromMilliseconds(1); ; pause = pause * 2 < s_longestPause ? pause * 2 : s_longestPause)
        {
            try
            {
                return new FileStream(path, options);
            }
            catch (IOException exception) when (IsHeld(exception) && TimeProvider.System.GetElapsedTime(began) < s_patience)
            {
                // Another failure of this user's is being counted, perhaps by another process.
                await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    // EWOULDBLOCK of Linux and of macOS; a sharing and a lock violation.
    private static bool IsHeld(IOException exception) => exception.HResult is 11 or 35 or unchecked((int)0x80070020) or unchecked((int)0x80070021);
}
