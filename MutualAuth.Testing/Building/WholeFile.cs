using System.Text;

namespace MutualAuth.Testing.Building;

/// <summary>Writes files that are there whole or not at all: under a name of their own first, and then in the place of the old one.</summary>
internal static class WholeFile
{
    internal static void Write(string path, string text) => Write(path, Encoding.UTF8.GetBytes(text));

    internal static void Write(string path, ReadOnlySpan<byte> content) => Write(path, content, isSecret: false);

    /// <summary>A file that its owner alone can read, whatever rights the one before it had.</summary>
    internal static void WriteSecret(string path, ReadOnlySpan<byte> content) => Write(path, content, isSecret: true);

    private static void Write(string path, ReadOnlySpan<byte> content, bool isSecret)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (isSecret && !OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var file = new FileStream(temporary, options))
            {
                file.Write(content);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
