namespace MutualAuth.Reloading;

/// <summary>A file of our own as it was read.</summary>
internal readonly record struct FileContent(string Path, byte[] Bytes)
{
    internal string Text => BoundedFile.TextOf(Bytes);

    /// <summary>For the beginning of a message.</summary>
    internal string Source => $"The file {Path}";
}
