namespace MutualAuth.Reloading;

/// <summary>The content of a configured file.</summary>
internal readonly record struct FileContent(string Path, byte[] Bytes)
{
    internal string Text => BoundedFile.TextOf(Bytes);

    /// <summary>For the beginning of a message.</summary>
    internal string Source => $"The file {Path}";

    /// <summary>Who may read and write it; null on Windows.</summary>
    internal UnixFileMode? Mode { get; init; }

    /// <summary>Whether this process is its owner.</summary>
    internal bool IsOurs { get; init; }
}
