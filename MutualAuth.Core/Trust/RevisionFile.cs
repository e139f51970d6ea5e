using System.Globalization;
using System.Text;
using MutualAuth.Reloading;

namespace MutualAuth.Trust;

/// <summary>
/// A witness in a file of its own, which holds one number. Keep it where a copy of the other file does not reach: on another volume.
/// </summary>
/// <remarks>
/// A missing, empty or damaged file is an error and never counts as 0: <see cref="Create"/> makes it, once. Safe for concurrent use.
/// </remarks>
public sealed class RevisionFile : IRevisionWitness
{
    private const int MaxBytes = 64;

    private readonly string _path;
    private readonly Lock _lock = new();

    private RevisionFile(string path) => _path = path;

    /// <summary>Opens an existing file.</summary>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty.</exception>
    /// <exception cref="MaterialException">The file is missing, unreadable or damaged.</exception>
    public static RevisionFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var file = new RevisionFile(Path.GetFullPath(path));
        _ = file.Highest;
        return file;
    }

    /// <summary>Makes the file, for a first start; one that exists is an error.</summary>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty.</exception>
    /// <exception cref="MaterialException">The file exists, or cannot be made.</exception>
    public static RevisionFile Create(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var file = new RevisionFile(Path.GetFullPath(path));
        if (File.Exists(file._path))
        {
            throw new MaterialException($"The witness {file._path} exists. Open it; to begin anew, remove it first, and look why it is there.");
        }

        file.Try(() => AtomicFile.CreateUnlessExists(file._path, ToBytes(0)));
        return file;
    }

    /// <inheritdoc/>
    public long Highest
    {
        get
        {
            var text = Encoding.ASCII.GetString(BoundedFile.ReadBytes(_path, MaxBytes));
            return text.EndsWith('\n') && long.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var revision)
                ? revision
                : throw new MaterialException($"The witness {_path} does not hold one number on one line. Restore it; never make it anew unseen.");
        }
    }

    /// <inheritdoc/>
    public void Advance(long revision)
    {
        lock (_lock)
        {
            if (revision > Highest)
            {
                Try(() => AtomicFile.Replace(_path, ToBytes(revision), null));
            }
        }
    }

    private static byte[] ToBytes(long revision) => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{revision}\n"));

    private void Try(Action write)
    {
        try
        {
            write();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MaterialException($"The witness {_path} cannot be written: {exception.Message}", exception);
        }
    }
}
