namespace MutualAuth.Tool;

/// <summary>Files that only their owner may read, and that are whole or not there.</summary>
internal static class OwnerOnly
{
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <exception cref="IOException">There is such a file already.</exception>
    internal static void Create(string path, ReadOnlySpan<byte> content)
    {
        using var file = Open(path);
        file.Write(content);
        file.Flush(flushToDisk: true);
    }

    /// <summary>Replaces a file in one step.</summary>
    internal static void Replace(string path, ReadOnlySpan<byte> content, bool othersMayRead = false)
    {
        var part = $"{path}.{Guid.NewGuid():N}.part";
        try
        {
            Create(part, content);
            if (othersMayRead && !OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(part, Mode | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
            }

            File.Move(part, path, overwrite: true);
        }
        catch
        {
            File.Delete(part);
            throw;
        }
    }

    private static FileStream Open(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = Mode;
        }

        return File.Open(path, options);
    }
}
