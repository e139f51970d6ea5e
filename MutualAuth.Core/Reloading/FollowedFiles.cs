using System.Collections.Immutable;

namespace MutualAuth.Reloading;

/// <summary>The files of one piece of material, which are polled, and become stable, together. Not for use by several threads at once.</summary>
internal sealed class FollowedFiles
{
    private const int MaxLooks = 16;

    // A process may keep a file open for writing permanently. After this long without a change the file counts as complete.
    private static readonly TimeSpan s_patienceWithWriters = TimeSpan.FromSeconds(10);

    private readonly FollowedFile[] _files;
    private readonly int _maxBytes;
    private readonly TimeProvider _time;
    private string? _seen;
    private long _seenAt;
    private long _restlessSince;

    internal FollowedFiles(ImmutableArray<string> paths, int maxBytes, TimeProvider time)
    {
        Paths = paths;
        _maxBytes = maxBytes;
        _time = time;
        _files = [.. paths.Select(path => new FollowedFile(path, maxBytes, time))];
    }

    internal ImmutableArray<string> Paths { get; }

    /// <summary>The files have changed, and have not been stable since.</summary>
    internal bool IsRestless => _seen is not null;

    /// <summary>How long the files have not been stable; zero when they are.</summary>
    internal TimeSpan RestlessFor => _seen is null ? TimeSpan.Zero : _time.GetElapsedTime(_restlessSince);

    /// <summary>Looks at all files.</summary>
    /// <param name="keepsContents">Whether to keep the contents of large files too, for material that is about to be made of them.</param>
    internal FilesLook Look(bool keepsContents = false)
    {
        var looks = Array.ConvertAll(_files, file => file.Look(keepsContents));
        return new FilesLook(string.Join('|', looks.Select(look => look.Mark)), [.. looks], Paths, _maxBytes);
    }

    /// <summary>Looks until two looks agree, so that all files are from the same side of a change. Gives up if they never do.</summary>
    internal FilesLook LookUntilTheSame()
    {
        // One look at a time is held: a list of a million entries would be in memory twice.
        var look = Look(keepsContents: true);
        for (var looks = 2; looks < MaxLooks && !IsStill(look); looks += 2)
        {
            look = null;
            look = Look(keepsContents: true);
        }

        return look;
    }

    private bool IsStill(FilesLook look)
    {
        for (var i = 0; i < _files.Length; i++)
        {
            if (!_files[i].IsStill(look.Files[i]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether the files have not changed for as long as required, and no process is writing them.</summary>
    internal bool IsAtRest(FilesLook look, TimeSpan quietTime)
    {
        var now = _time.GetTimestamp();
        _restlessSince = _seen is null ? now : _restlessSince;
        if (_seen != look.Mark)
        {
            (_seen, _seenAt) = (look.Mark, now);
        }

        var stoodFor = _time.GetElapsedTime(_seenAt, now);
        return stoodFor >= quietTime && (stoodFor >= s_patienceWithWriters || !Array.Exists(_files, file => file.IsBeingWritten()));
    }

    /// <summary>Resets the waiting time.</summary>
    internal void Rest() => _seen = null;
}

/// <summary>The result of one look at all files.</summary>
internal sealed record FilesLook(string Mark, ImmutableArray<FileLook> Files, ImmutableArray<string> Paths, int MaxBytes)
{
    /// <summary>The contents, all of them.</summary>
    /// <exception cref="MaterialException">One of them cannot be read.</exception>
    internal ImmutableArray<FileContent> Contents() => [.. Files.Select((file, index) => Content(file, Paths[index]))];

    private FileContent Content(FileLook file, string path) =>
        file.Problem is { } problem ? throw problem : file.Content ?? ReadAgain(file.Mark, path);

    private FileContent ReadAgain(string mark, string path)
    {
        var content = BoundedFile.Read(path, MaxBytes);
        return FollowedFile.MarkOf(content.Bytes) == mark ? content : throw new MaterialException($"The file {path} changed while it was read.");
    }
}
