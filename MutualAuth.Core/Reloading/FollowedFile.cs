using System.Buffers;
using System.Security.Cryptography;

namespace MutualAuth.Reloading;

/// <summary>One file that is polled. Not for use by several threads at once.</summary>
internal sealed class FollowedFile(string path, int maxBytes, TimeProvider time)
{
    // A file shorter than this is read each time: a replacement may have the same length and times.
    private const int AlwaysReadBelow = 1 << 20;

    private (FileStamp Stamp, string? Target)? _seen;
    private long _stampedAt;
    private string _digest = string.Empty;

    /// <summary>Identifies the current content of the file; an unreadable file has a mark too, which identifies the reason.</summary>
    /// <param name="keepsContent">
    /// Whether the content of a large file is kept, which takes its length in memory. Otherwise it is read in pieces.
    /// </param>
    internal FileLook Look(bool keepsContent)
    {
        try
        {
            using var file = Open(path);

            if (!IsNew(file, out var stamp)
                && stamp.Length >= AlwaysReadBelow && time.GetElapsedTime(_stampedAt) > FileStamp.Settling && _digest.Length > 0)
            {
                return new FileLook(_digest, null, null);
            }

            if (stamp.Length >= AlwaysReadBelow && !keepsContent)
            {
                _digest = MarkOf(file, path, maxBytes);
                return new FileLook(_digest, null, null) { WasRead = true };
            }

            var content = BoundedFile.Read(file, path, maxBytes);
            _digest = MarkOf(content.Bytes);
            return new FileLook(_digest, content, null) { WasRead = true };
        }
        catch (Exception exception) when (BoundedFile.IsUnreadable(exception) || exception is MaterialException)
        {
            Forget();
            var problem = exception as MaterialException ?? BoundedFile.Unreadable(path, exception);
            return new FileLook($"unreadable {problem.Message}", null, problem);
        }
    }

    /// <summary>Whether another look now would have the same mark. What was kept is compared octet by octet, which costs less than a hash.</summary>
    internal bool IsStill(FileLook look)
    {
        if (look.Content is not { Bytes: var content })
        {
            return Look(keepsContent: false).Mark == look.Mark;
        }

        try
        {
            using var file = Open(path);
            var offset = 0;
            IsNew(file, out _);
            return ReadInPieces(file, path, maxBytes, piece =>
            {
                var isSame = piece.Length <= content.Length - offset && piece.SequenceEqual(content.AsSpan(offset, piece.Length));
                offset += piece.Length;
                return isSame;
            }) && offset == content.Length;
        }
        catch (Exception exception) when (BoundedFile.IsUnreadable(exception) || exception is MaterialException)
        {
            return false;
        }
    }

    /// <summary>Whether the file has another stamp than at the last look, which is remembered.</summary>
    private bool IsNew(FileStream file, out FileStamp stamp)
    {
        // A symbolic link that is turned to another file, as Kubernetes does it, changes the target.
        var target = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName;
        stamp = FileStamp.Of(file.SafeFileHandle);
        if ((stamp, target) == _seen)
        {
            return false;
        }

        (_seen, _stampedAt, _digest) = ((stamp, target), time.GetTimestamp(), string.Empty);
        return true;
    }

    /// <summary>Reads the file at the next look, however it looks.</summary>
    internal void Forget() => _seen = null;

    /// <summary>Whether a process has it open for writing, as far as the system says.</summary>
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

    /// <summary>The same of a file that is not held in memory. Like <see cref="BoundedFile"/>, it leaves out what is appended meanwhile.</summary>
    private static string MarkOf(FileStream file, string path, int maxBytes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        ReadInPieces(file, path, maxBytes, piece =>
        {
            hash.AppendData(piece);
            return true;
        });
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    /// <summary>Reads the file until it ends, or <paramref name="goesOn"/> returns false; then it returns false too.</summary>
    private static bool ReadInPieces(FileStream file, string path, int maxBytes, Func<ReadOnlySpan<byte>, bool> goesOn)
    {
        const int Piece = 128 * 1024;
        var left = BoundedFile.LengthOf(file, path, maxBytes);
        var piece = ArrayPool<byte>.Shared.Rent(Piece);
        try
        {
            while (left > 0)
            {
                var count = file.Read(piece, 0, Math.Min(left, piece.Length));
                if (count == 0)
                {
                    throw new EndOfStreamException("The file became shorter while it was read.");
                }

                if (!goesOn(piece.AsSpan(0, count)))
                {
                    return false;
                }

                left -= count;
            }

            return true;
        }
        finally
        {
            // It may have been a file of secrets.
            ArrayPool<byte>.Shared.Return(piece, clearArray: true);
        }
    }

    private static FileStream Open(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
}

/// <summary>The result of one look at one file.</summary>
/// <param name="Mark">Identifies this content, or this failure.</param>
/// <param name="Content">The content; null when the file cannot be read, or is large and was not read again or not kept.</param>
/// <param name="Problem">The reason why it cannot be read.</param>
internal readonly record struct FileLook(string Mark, FileContent? Content, MaterialException? Problem)
{
    /// <summary>Whether its octets were looked at now; false where its stamp says that they are the same.</summary>
    internal bool WasRead { get; init; }
}
