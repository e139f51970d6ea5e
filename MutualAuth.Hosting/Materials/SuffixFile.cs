using System.Text;
using MutualAuth.Names;

namespace MutualAuth.Hosting.Materials;

/// <summary>Reads a list of public suffixes from its file, once.</summary>
internal static class SuffixFile
{
    // Four octets for each character that a list may have.
    private const int MaxBytes = 16 * 1024 * 1024;

    /// <exception cref="MaterialException">It is too long, every user may write it, or it is no such list.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    internal static PublicSuffixList Read(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file.SafeFileHandle) & UnixFileMode.OtherWrite) != 0)
        {
            throw new MaterialException(
                $"The file {path} is writable by every user of this machine, who could then decide which wildcards count. Check its content, and "
                    + $"then: chmod o-w {path}")
            { Problem = MaterialProblem.WritableByOthers };
        }

        if (file.Length > MaxBytes)
        {
            throw new MaterialException($"The file {path} has {file.Length} bytes; at most {MaxBytes} are expected of such a file.")
            { Problem = MaterialProblem.Unreadable };
        }

        var content = new byte[file.Length];
        file.ReadExactly(content);
        var text = content.AsSpan();
        return PublicSuffixList.Parse(
            Encoding.UTF8.GetString(text.StartsWith(Encoding.UTF8.Preamble) ? text[Encoding.UTF8.Preamble.Length..] : text));
    }
}
