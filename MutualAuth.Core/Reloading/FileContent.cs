namespace MutualAuth.Reloading;

/// <summary>The content of a configured file.</summary>
internal readonly record struct FileContent(string Path, byte[] Bytes)
{
    internal string Text => BoundedFile.TextOf(Bytes);

    /// <summary>For the beginning of a message.</summary>
    internal string Source => $"The file {Path}";
}
