using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace MutualAuth.Reloading;

/// <summary>Material read from files, and read again when they change while the process runs.</summary>
/// <remarks>
/// However the files are changed (renamed over, rewritten in place, removed and created again, behind a link that is swapped), the new
/// content is applied as a whole once all files have been unchanged for the quiet time and it has passed every check. Invalid content is
/// rejected, with an event, and the last good material stays in force. Safe for use from many threads. Dispose of it to stop watching; the
/// last good material then stays permanently.
/// </remarks>
/// <typeparam name="T">The type of the material.</typeparam>
public abstract class WatchedFiles<T> : IFileSource
    where T : class
{
    private static readonly TimeSpan s_restlessness = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_judgeAgainAfter = TimeSpan.FromSeconds(10);

    private readonly Lock _looking = new();
    private readonly FollowedFiles _files;
    private readonly FileUse _use;
    private readonly HashSet<FileRemark> _said = [];
    private readonly Func<ImmutableArray<FileContent>, T> _load;
    private readonly Func<T, string> _describe;
    private readonly WatchOptions _options;
    private readonly ReloadEvents _events;
    private readonly ITimer _timer;
    private volatile T _current;
    private volatile MaterialException? _lastFailure;
    private volatile MaterialException? _standing;
    private string _currentMark;
    private string _judgedMark;
    private long _judgedAt;
    private long _asked;
    private (long UpTo, bool IsReplaced) _answered;
    private volatile bool _isDisposed;

    /// <param name="material">The kind of material, for logs and measurements.</param>
    /// <param name="use">What the files are for, which decides who must not write or read them.</param>
    /// <param name="paths">The files.</param>
    /// <param name="maxBytes">The maximum size of each file.</param>
    /// <param name="load">Creates the material from their contents, in the same order, and checks it.</param>
    /// <param name="describe">Describes it for the log.</param>
    /// <param name="options">How the files are watched.</param>
    /// <exception cref="ArgumentException">There is no file, or the options contradict themselves.</exception>
    /// <exception cref="MaterialException">The current content of the files cannot be used.</exception>
    private protected WatchedFiles(
        string material,
        FileUse use,
        IEnumerable<string> paths,
        int maxBytes,
        Func<ImmutableArray<FileContent>, T> load,
        Func<T, string> describe,
        WatchOptions? options)
    {
        ArgumentNullException.ThrowIfNull(paths);
        _options = options ?? WatchOptions.Default;
        _options.ThrowIfProblem(nameof(options));
        ImmutableArray<string> absolute = [.. paths.Select(Path.GetFullPath)];
        if (absolute.IsEmpty)
        {
            throw new ArgumentException("Give at least one file.", nameof(paths));
        }

        _files = new FollowedFiles(absolute, maxBytes, _options.TimeProvider);
        _use = use;
        _load = load;
        _describe = describe;
        Logger = MutualAuthTelemetry.CreateLogger(_options.LoggerFactory);
        _events = new ReloadEvents(this, material, string.Join(", ", absolute), Logger);

        var look = _files.LookUntilTheSame();
        _current = Load(look);
        _currentMark = _judgedMark = look.Mark;

        // Do not capture the caller's ExecutionContext in the timer.
        using (ExecutionContext.SuppressFlow())
        {
            _timer = _options.TimeProvider.CreateTimer(
                static state => ((WatchedFiles<T>)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        _timer.Change(_options.PollInterval, Timeout.InfiniteTimeSpan);
    }

    /// <inheritdoc/>
    public event EventHandler? Replaced;

    /// <inheritdoc/>
    public event EventHandler<ReloadRefusedEventArgs>? Refused;

    /// <summary>The last good material. It never blocks and never throws.</summary>
    public T Current => _current;

    /// <inheritdoc/>
    public ImmutableArray<string> Paths => _files.Paths;

    /// <inheritdoc/>
    public MaterialException? LastFailure => _lastFailure;

    /// <summary>How often a reload was asked for, for tests.</summary>
    internal long Asked => Interlocked.Read(ref _asked);

    private protected ILogger Logger { get; }

    /// <summary>Why material that was taken up just now, and is in force, cannot be remembered for the next start; null when it can.</summary>
    private protected virtual MaterialException? FlawAfterLoad => null;

    /// <summary>Ends what else goes on by itself for as long as the files are watched.</summary>
    private protected virtual void EndFollowing()
    {
    }

    private protected TimeProvider Time => _options.TimeProvider;

    /// <inheritdoc/>
    public bool Reload()
    {
        Action? tell;
        bool isReplaced;
        var number = Interlocked.Increment(ref _asked);
        lock (_looking)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (number <= _answered.UpTo)
            {
                return _answered.IsReplaced; // a look that began after this call has been made for another call
            }

            var (before, upTo) = (_current, Interlocked.Read(ref _asked));
            tell = Look(waitForRest: false);
            isReplaced = !ReferenceEquals(before, _current);
            _answered = (upTo, isReplaced);
        }

        tell?.Invoke();
        return isReplaced;
    }

    /// <summary>Stops watching the files.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        _timer.Dispose();
        EndFollowing();
        GC.SuppressFinalize(this);
    }

    private void OnTimer()
    {
        Action? tell = null;
        var again = _options.PollInterval;
        lock (_looking)
        {
            if (_isDisposed)
            {
                return;
            }

            tell = LookSafely();
            if (_files.IsRestless && _options.QuietTime < again)
            {
                again = Max(_options.QuietTime, TimeSpan.FromMilliseconds(10));
            }
        }

        tell?.Invoke();
        _timer.Change(again, Timeout.InfiniteTimeSpan);
    }

    // An exception that leaves a timer would end the process.
    private Action? LookSafely()
    {
        try
        {
            return Look(waitForRest: true);
        }
        catch (Exception exception)
        {
            return Refuse(Unforeseen(exception));
        }
    }

    /// <returns>The notifications to send after the lock is released.</returns>
    private Action? Look(bool waitForRest)
    {
        var look = waitForRest ? _files.Look() : _files.LookUntilTheSame();
        if (look.Mark == _judgedMark && (_lastFailure is null || _options.TimeProvider.GetElapsedTime(_judgedAt) < s_judgeAgainAfter))
        {
            _files.Rest();
            return null;
        }

        if (waitForRest && look.Mark != _judgedMark && !_files.IsAtRest(look, _options.QuietTime))
        {
            return _files.RestlessFor < s_restlessness
                ? null
                : Refuse(
                    new MaterialException(
                        $"The files have kept changing for more than {s_restlessness.TotalSeconds} seconds. Write each to a new file and rename it "
                            + "over the old one."));
        }

        _files.Rest();
        (_judgedMark, _judgedAt) = (look.Mark, _options.TimeProvider.GetTimestamp());
        return Judge(look);
    }

    private Action? Judge(FilesLook look)
    {
        if (look.Mark == _currentMark)
        {
            _lastFailure = _standing; // what was refused was taken back
            return null;
        }

        try
        {
            _current = Load(look);
        }
        catch (Exception exception)
        {
            return Refuse(exception as MaterialException ?? Unforeseen(exception));
        }

        _currentMark = look.Mark;
        var flaw = _lastFailure = _standing = FlawAfterLoad;
        return () =>
        {
            _events.Replaced(Replaced, _describe(Current));
            if (flaw is not null)
            {
                _events.NotRemembered(flaw);
            }
        };
    }

    private T Load(FilesLook look)
    {
        var contents = look.Contents();
        var remarks = contents.Select(_use.Examine).OfType<FileRemark>().Where(_said.Add).ToArray();
        Array.ForEach(remarks, remark => remark.Log(Logger));
        return _load(contents);
    }

    private Action? Refuse(MaterialException problem)
    {
        var isSaid = _lastFailure?.Message == problem.Message;
        _lastFailure = problem;
        return isSaid ? null : () => _events.Refused(Refused, problem);
    }

    /// <summary>
    /// Reports that material in force turned out to be unusable, and that the previous material stays in use. Applies until the next
    /// content.
    /// </summary>
    private protected void RefuseAfterwards(MaterialException problem)
    {
        _lastFailure = _standing = problem;
        _events.Refused(Refused, problem);
    }

    /// <summary>Reports that material in force cannot be remembered for the next start. Applies until the next content.</summary>
    private protected void NoteNotRemembered(MaterialException problem)
    {
        _lastFailure = _standing = problem;
        _events.NotRemembered(problem);
    }

    /// <summary>What <see cref="NoteNotRemembered"/> or <see cref="FlawAfterLoad"/> reported no longer applies.</summary>
    private protected void Recover() => _lastFailure = _standing = null;

    private static MaterialException Unforeseen(Exception exception) =>
        new($"It could not be read because of an unexpected error, {exception.GetType().Name}: {exception.Message}", exception);

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
