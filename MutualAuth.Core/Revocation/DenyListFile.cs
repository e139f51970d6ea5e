using MutualAuth.Reloading;

namespace MutualAuth.Revocation;

/// <summary>
/// A deny list, read from a file and following it. An emptied file rejects no peers any longer; if the file disappears, the last valid list stays in
/// force.
/// </summary>
public sealed class DenyListFile : WatchedFiles<DenyList>, IDenyListSource
{
    /// <summary>Follows a deny list.</summary>
    /// <param name="path">A file in UTF-8, in the form of <see cref="DenyList.Parse"/>; at most 16 MiB.</param>
    /// <param name="options">How the file is followed.</param>
    /// <exception cref="ArgumentException"><paramref name="options"/> contradict themselves.</exception>
    /// <exception cref="MaterialException">The file cannot be read, or a line is not an entry.</exception>
    public DenyListFile(string path, WatchOptions? options = null)
        : base("deny list", [path], DenyList.MaxFileBytes, files => DenyList.Read(files[0].Text, files[0].Path), list => list.ToString(), options)
    {
    }
}
