using System.Security.Cryptography;

namespace MutualAuth.Reloading;

/// <summary>One file that is looked at again and again. Not for use by several threads at once.</summary>
internal sealed class FollowedFile(string path, int maxBytes, TimeProvider time)
{
    // Below this a file is read each time: a replacement may have its length and its times.
    private const int AlwaysReadBelow = 1 << 20;

    // Clocks of file systems tick as coarsely as two seconds: a second change within one tick shows in no stamp.
    private static readonly TimeSpan s_settling = TimeSpan.FromSeconds(3);

    private FileStamp? _stamp;
    private long _stampedAt;
    private string _digest = string.Empty;

    /// <summary>What tells the file's content of now from any other; a file that cannot be read has a mark too, which tells why.</summary>
    internal FileLook Look()
    {
        try
        {
            using var file = Open(path);
            var stamp = FileStamp.Of(file.SafeFileHandle);
            if (stamp != _stamp)
            {
                (_stamp, _stampedAt, _digest) = (stamp, time.GetTimestamp(), string.Empty);
            }
            else if (stamp.Length >= AlwaysReadBelow && time.GetElapsedTime(_stampedAt) > s_settling && _digest.Length > 0)
            {
                return new FileLook(_digest, null, null);
            }

            var bytes = BoundedFile.ReadBytes(file, path, maxBytes);
            _digest = MarkOf(bytes);
            return new FileLook(_digest, new FileContent(path, bytes), null);
        }
        catch (Exception exception) when (BoundedFile.IsUnreadable(exception) || exception is MaterialException)
        {
            _stamp = null;
            var problem = exception as MaterialException ?? BoundedFile.Unreadable(path, exception);
            return new FileLook($"unreadable {problem.Message}", null, problem);
        }
    }

    /// <summary>Whether a process has it open for writing, as far as the system tells.</summary>
    internal bool IsBeingWritten()
    {
        try
        {
            using var file = Open(path);
            return FileWriters.Has(file.SafeFileHandle);
        }
        catch (Exception exception) when (BoundedFile.IsUnreadable(exception))
        {
            return false;
        }
    }

    internal static string MarkOf(byte[] content) => Convert.ToHexString(SHA256.HashData(content));

    private static FileStream Open(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
}

/// <summary>What one look at one file gave.</summary>
/// <param name="Mark">What tells this content, or this failure, from any other.</param>
/// <param name="Content">The content; null when the file cannot be read, and when it is large and was not read again.</param>
/// <param name="Problem">Why it cannot be read.</param>
internal readonly record struct FileLook(string Mark, FileContent? Content, MaterialException? Problem);
