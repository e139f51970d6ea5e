using System.Text;

namespace MutualAuth.Reloading;

/// <summary>Reads configured files up to a maximum size, with an error message that says what to do.</summary>
internal static class BoundedFile
{
    internal static string ReadText(string path, int maxBytes) => TextOf(ReadBytes(path, maxBytes));

    /// <summary>The text of a file, without the byte order mark that some editors write.</summary>
    internal static string TextOf(ReadOnlySpan<byte> content) =>
        Encoding.UTF8.GetString(content.StartsWith(Encoding.UTF8.Preamble) ? content[Encoding.UTF8.Preamble.Length..] : content);

    internal static byte[] ReadBytes(string path, int maxBytes) => Read(path, maxBytes).Bytes;

    /// <summary>The content of a file, and who may read and write it.</summary>
    internal static FileContent Read(string path, int maxBytes)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            return Read(file, path, maxBytes);
        }
        catch (Exception exception) when (IsUnreadable(exception))
        {
            throw Unreadable(path, exception);
        }
    }

    internal static FileContent Read(FileStream file, string path, int maxBytes)
    {
        var bytes = ReadBytes(file, path, maxBytes);
        return OperatingSystem.IsWindows()
            ? new FileContent(path, bytes)
            : new FileContent(path, bytes)
            {
                Mode = File.GetUnixFileMode(file.SafeFileHandle),
                IsOurs = FileRights.IsOurs(file.SafeFileHandle),
            };
    }

    internal static byte[] ReadBytes(FileStream file, string path, int maxBytes)
    {
        // Every octet is written over, and a large file would be cleared first.
        var content = GC.AllocateUninitializedArray<byte>(LengthOf(file, path, maxBytes));
        file.ReadExactly(content);
        return content;
    }

    /// <exception cref="MaterialException">It is longer than that.</exception>
    internal static int LengthOf(FileStream file, string path, int maxBytes)
    {
        var length = file.Length;
        return length <= maxBytes
            ? (int)length
            : throw new MaterialException($"The file {path} has {length} bytes; at most {maxBytes} are expected of such a file.")
            { Problem = MaterialProblem.Unreadable };
    }

    internal static bool IsUnreadable(Exception exception) =>
        exception is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException;

    internal static MaterialException Unreadable(string path, Exception exception) =>
        new(
            Directory.Exists(path) ? $"{path} is a directory. Give a file." : $"The file {path} cannot be read: {exception.Message}",
            exception)
        { Problem = MaterialProblem.Unreadable };
}
