using MutualAuth.Reloading;

namespace MutualAuth.Revocation;

/// <summary>
/// A deny list read from a file, and read again when the file changes. An emptied file no longer rejects any certificate; a missing file
/// leaves the last good list in force.
/// </summary>
public sealed class DenyListFile : WatchedFiles<DenyList>, IDenyListSource
{
    /// <summary>Reads a deny list and watches its file.</summary>
    /// <param name="path">A file in UTF-8, in the form of <see cref="DenyList.Parse"/>; at most 16 MiB.</param>
    /// <param name="options">How the file is watched.</param>
    /// <exception cref="ArgumentException"><paramref name="options"/> contradict themselves.</exception>
    /// <exception cref="MaterialException">The file cannot be read, or a line is not an entry.</exception>
    public DenyListFile(string path, WatchOptions? options = null)
        : base(
            "deny list",
            FileUse.DenyList,
            [path],
            DenyList.MaxFileBytes,
            files => DenyList.Read(files[0].Text, files[0].Path),
            list => list.ToString(),
            options)
    {
    }
}
