using System.Collections.Frozen;
using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using MutualAuth.Reloading;
using MutualAuth.Telemetry;

namespace MutualAuth.Credentials;

/// <summary>Users in a text file, one line each: <c>name:SCRAM-SHA-256$…</c>, or <c>name:!SCRAM-SHA-256$…</c> for a disabled one.</summary>
/// <remarks>
/// <para>The file is checked again when a user logs in and a second has passed, and each second while <see cref="Replaced"/>,
/// <see cref="Refused"/> or <see cref="FactsChanged"/> has a handler. A login waits for a file of up to a megabyte to be read; a longer one is
/// read in the background, and applies when it has been read: until then each login has the users of before. A file that cannot be read, has a
/// malformed line, or is writable by others is rejected: the log,
/// <see cref="Refused"/> and <see cref="Health"/> report it, and the last good users stay in force for
/// <see cref="FileCredentialStoreOptions.MaxUnreadable"/>. After that, no user can log in.</para>
/// <para>Changes are written to a second file that replaces the first one atomically, with its owner, group, mode and access list, under a
/// lock file that all writers of this library honour, including other processes: a reader sees either the old users or the new ones, after
/// a crash as well. If owner or mode cannot be kept, or locks have no effect, nothing is changed. Comments do not survive a change. Safe
/// for use from many threads.</para>
/// <para>Second factors are further lines, <c>name:factor:identifier:kind:data</c>. Versions of this library that do not know them refuse
/// the file. Each use of a one-time code or a passkey's counter writes the whole file: the server's account must be able to, and more than
/// a few thousand users with second factors belong into a database.</para>
/// <para>Consecutive failures are kept beside the file, in <see cref="FileCredentialStoreOptions.FailureDirectory"/>, which the server's
/// account must be able to write: a small file for each user who has some. The file of users is not written for them.</para>
/// </remarks>
public sealed class FileCredentialStore
    : IWritableCredentialStore, IBulkCredentialStore, IFailureCountingStore, IFactorListingStore, IBulkSecondFactorStore, IFactChangeSource,
        IReloadable, IRecallsUsers, IDisposable
{
    /// <summary>Up to this length a login that finds another file waits until it has been read: some milliseconds.</summary>
    internal const int WaitsForBytes = 1024 * 1024;

    private static readonly TimeSpan s_lookAgainAfter = TimeSpan.FromSeconds(1);

    private readonly string _path;
    private readonly FileCredentialStoreOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly FailureFiles _failures;
    private readonly FollowedFile _file;
    private readonly Lock _reading = new();
    private readonly Lock _turn = new();
    private volatile UserIndex _users = UserIndex.Nobody;
    private volatile FrozenDictionary<string, ImmutableSortedDictionary<string, StoredFactor>> _factors = CredentialFileUsers.Nobody.Factors;
    private volatile CredentialFileHealth _health = new(letsUsersIn: false, problem: null, default, canOthersRead: false);
    private string _mark = string.Empty;
    private long _lookedAt;
    private long _goodAt;
    private Task _looking = Task.CompletedTask;
    private EventHandler? _replaced;
    private EventHandler<ReloadRefusedEventArgs>? _refused;
    private EventHandler<FactsChangedEventArgs>? _factsChanged;
    private ITimer? _timer;
    private bool _hasSaidClosed;
    private bool _isDisposed;

    private FileCredentialStore(string path, FileCredentialStoreOptions options)
    {
        _path = path;
        _options = options;
        _time = options.TimeProvider;
        _logger = MutualAuthTelemetry.CreateLogger(options.LoggerFactory);
        _failures = new FailureFiles(Path.GetFullPath(options.FailureDirectory ?? path + ".failures"));
        _file = new FollowedFile(path, options.MaxFileBytes, options.TimeProvider);
        Take(ReadIfChanged()!.Value);
    }

    /// <inheritdoc/>
    public event EventHandler? Replaced
    {
        add => Listen(() => _replaced += value);
        remove => Listen(() => _replaced -= value);
    }

    /// <inheritdoc/>
    public event EventHandler<FactsChangedEventArgs>? FactsChanged
    {
        add => Listen(() => _factsChanged += value);
        remove => Listen(() => _factsChanged -= value);
    }

    /// <summary>
    /// Raised when the file has changed into one that is refused, once for each problem. The last good users stay in force for the time
    /// being.
    /// </summary>
    public event EventHandler<ReloadRefusedEventArgs>? Refused
    {
        add => Listen(() => _refused += value);
        remove => Listen(() => _refused -= value);
    }

    /// <summary>The file.</summary>
    internal string FilePath => _path;

    /// <summary>How many users there are.</summary>
    public int Count => _users.Count;

    /// <summary>How it stands with the file, as of the last look at it.</summary>
    public CredentialFileHealth Health => _health with { LetsUsersIn = !IsOverdue || _health.Problem is null };

    /// <summary>How long ago the file was read, or found to be the same.</summary>
    internal TimeSpan AgeOfUsers => _time.GetElapsedTime(Volatile.Read(ref _goodAt));

    /// <summary>Called before a changed file is parsed, on the thread that does it; tests hold it there.</summary>
    internal Action? BeforeParsing { get; set; }

    /// <summary>The look at the file that was begun last.</summary>
    internal Task Looking
    {
        get
        {
            lock (_turn)
            {
                return _looking;
            }
        }
    }

    private bool IsOverdue =>
        _options.MaxUnreadable != Timeout.InfiniteTimeSpan && _time.GetElapsedTime(Volatile.Read(ref _goodAt)) > _options.MaxUnreadable;

    /// <summary>Opens a file of users, with the defaults of <see cref="FileCredentialStoreOptions"/> otherwise.</summary>
    /// <param name="path">The file.</param>
    /// <param name="timeProvider">The clock that says when to look again; null means the system's.</param>
    /// <param name="loggerFactory">Where reloads are logged; null means nowhere.</param>
    /// <exception cref="MaterialException">It cannot be read, others than its owner can write it, or a line is none of a user.</exception>
    public static FileCredentialStore Open(string path, TimeProvider? timeProvider = null, ILoggerFactory? loggerFactory = null) =>
        Open(path, OptionsOf(timeProvider, loggerFactory));

    /// <summary>Opens a file of users.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How it is followed.</param>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="ArgumentException">The options contradict themselves; the message lists every problem.</exception>
    /// <exception cref="MaterialException">It cannot be read, others than its owner can write it, or a line is none of a user.</exception>
    public static FileCredentialStore Open(string path, FileCredentialStoreOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(options);
        var problems = string.Join(' ', options.Problems());
        return problems.Length == 0
            ? new FileCredentialStore(Path.GetFullPath(path), options)
            : throw new ArgumentException(problems, nameof(options));
    }

    /// <summary>Opens a file of users, and makes an empty one, which only its owner may read, if there is none.</summary>
    /// <exception cref="MaterialException">It cannot be made or read, others than its owner can write it, or a line is none of a user.</exception>
    public static FileCredentialStore OpenOrCreate(string path, TimeProvider? timeProvider = null, ILoggerFactory? loggerFactory = null) =>
        OpenOrCreate(path, OptionsOf(timeProvider, loggerFactory));

    /// <summary>Opens a file of users, and makes an empty one, which only its owner may read, if there is none.</summary>
    /// <exception cref="ArgumentException">The options contradict themselves; the message lists every problem.</exception>
    /// <exception cref="MaterialException">It cannot be made or read, others than its owner can write it, or a line is none of a user.</exception>
    public static FileCredentialStore OpenOrCreate(string path, FileCredentialStoreOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            var whole = Path.GetFullPath(path);
            if (!File.Exists(whole))
            {
                AtomicFile.CreateUnlessExists(whole, default);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MaterialException($"The file {path} cannot be made: {exception.Message}", exception);
        }

        return Open(path, options);
    }

    /// <inheritdoc/>
    /// <exception cref="MaterialException">
    /// The file could not be read for longer than <see cref="FileCredentialStoreOptions.MaxUnreadable"/>.
    /// </exception>
    public ValueTask<StoredCredential?> FindAsync(string userName, CancellationToken cancellationToken) =>
        TryRecall(userName, out var found) ? ValueTask.FromResult(found) : LookAndFindAsync(userName, cancellationToken);

    bool IRecallsUsers.TryRecall(string userName, out StoredCredential? found) => TryRecall(userName, out found);

    /// <inheritdoc/>
    /// <exception cref="MaterialException">
    /// The file could not be read for longer than <see cref="FileCredentialStoreOptions.MaxUnreadable"/>.
    /// </exception>
    public async ValueTask<ImmutableArray<StoredCredential>> FindManyAsync(
        IReadOnlyCollection<string> userNames, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(userNames);
        if (_time.GetElapsedTime(Volatile.Read(ref _lookedAt)) >= s_lookAgainAfter || IsOverdue)
        {
            await BeginLooking().WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        ThrowIfOverdue();
        var users = _users;
        return [.. userNames.Select(users.Find).OfType<StoredCredential>()];
    }

    /// <summary>Looks at the file now, on this thread, rather than when the next user logs in.</summary>
    public void ReloadIfChanged()
    {
        ReloadRefusedEventArgs? refused = null;
        var hasReplaced = false;
        ImmutableArray<string> changed = [];
        lock (_reading)
        {
            Volatile.Write(ref _lookedAt, _time.GetTimestamp());
            var problem = _health.Problem;
            try
            {
                var (before, factorsBefore) = (_users, _factors);
                hasReplaced = ReadIfChanged() is { } read && Take(read);
                changed = hasReplaced && _factsChanged is not null ? Differences(before, _users, factorsBefore, _factors) : [];
            }
            catch (Exception exception)
            {
                _health = _health with { Problem = exception.Message };
                if (problem != exception.Message)
                {
                    refused = new ReloadRefusedEventArgs(exception as MaterialException ?? new MaterialException(exception.Message, exception));
                }
            }
        }

        if (hasReplaced)
        {
            CredentialLog.FileReloaded(_logger, _path, _users.Count);
            Events().Replaced(_replaced, $"{Count} users");
        }

        if (!changed.IsEmpty)
        {
            Announce(changed);
        }

        if (refused is not null)
        {
            CredentialLog.FileNotReloaded(_logger, _path, refused.Problem.Message);
            Events().Refused(_refused, refused.Problem);
        }

        SayIfClosed();
    }

    /// <inheritdoc/>
    /// <exception cref="MaterialException">The file cannot be written, or another writer holds it for longer than ten seconds.</exception>
    public async ValueTask ReplaceVerifiersAsync(
        string userName, ImmutableArray<ScramVerifier> verifiers, CancellationToken cancellationToken = default)
    {
        var name = UserNames.Prepare(userName);
        var fresh = StoredCredential.Of(name, verifiers);
        await ChangeAsync(name, user => fresh with { IsDisabled = user is { IsDisabled: true } }, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    /// <exception cref="MaterialException">The file cannot be written, or another writer holds it for longer than ten seconds.</exception>
    public async ValueTask SetAsync(string userName, ScramVerifier verifier, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(verifier);
        var name = UserNames.Prepare(userName);
        await ChangeAsync(name, user => (user ?? new StoredCredential(name, [])).With(verifier), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    /// <exception cref="MaterialException">The file cannot be written, or another writer holds it for longer than ten seconds.</exception>
    public ValueTask<bool> SetDisabledAsync(string userName, bool isDisabled, CancellationToken cancellationToken = default) =>
        ChangeAsync(UserNames.Prepare(userName), user => user is null ? null : user with { IsDisabled = isDisabled }, cancellationToken);

    /// <inheritdoc/>
    /// <exception cref="MaterialException">The file cannot be written, or another writer holds it for longer than ten seconds.</exception>
    public async ValueTask<bool> RemoveAsync(string userName, CancellationToken cancellationToken = default)
    {
        var name = UserNames.Prepare(userName);
        var wasThere = await WriteAsync(
            name,
            static (ref user, ref factors) =>
            {
                var wasThere = user is not null;
                (user, factors) = (null, CredentialFileUsers.NoFactors);
                return (wasThere, true);
            },
            cancellationToken).ConfigureAwait(false);
        try
        {
            _failures.Clear(name);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The user is removed. If another user gets the name, an operator may have to clear the rest.
        }

        return wasThere;
    }

    /// <inheritdoc/>
    /// <exception cref="MaterialException">
    /// The file could not be read for longer than <see cref="FileCredentialStoreOptions.MaxUnreadable"/>.
    /// </exception>
    public async ValueTask<ImmutableArray<StoredFactor>> FindFactorsAsync(string userName, CancellationToken cancellationToken = default)
    {
        _ = await FindAsync(userName, cancellationToken).ConfigureAwait(false);
        return [.. _factors.GetValueOrDefault(userName, CredentialFileUsers.NoFactors).Values];
    }

    /// <inheritdoc/>
    /// <exception cref="MaterialException">The file cannot be written, or another writer holds it for longer than ten seconds.</exception>
    public async ValueTask SetFactorAsync(string userName, StoredFactor factor, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(factor);
        var name = UserNames.Prepare(userName);
        await WriteAsync(
            name,
            (ref _, ref factors) =>
            {
                factors = factors.SetItem(factor.Id, factor);
                return (true, true);
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    /// <exception cref="MaterialException">The file cannot be written, or another writer holds it for longer than ten seconds.</exception>
    public ValueTask<bool> TryReplaceFactorAsync(
        string userName, StoredFactor before, StoredFactor after, CancellationToken cancellationToken = default)
    {
        StoredFactor.ThrowIfNotTheSame(before, after);
        return WriteAsync(
            userName,
            (ref _, ref factors) =>
            {
                var isSame = factors.GetValueOrDefault(before.Id) == before;
                if (isSame)
                {
                    factors = factors.SetItem(after.Id, after);
                }

                return (isSame, isSame);
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="MaterialException">The file cannot be written, or another writer holds it for longer than ten seconds.</exception>
    public ValueTask<bool> RemoveFactorAsync(string userName, string factorId, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(factorId);
        var name = UserNames.Prepare(userName);
        return WriteAsync(
            name,
            (ref _, ref factors) =>
            {
                var isThere = factors.ContainsKey(factorId);
                factors = factors.Remove(factorId);

                return (isThere, isThere);
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="MaterialException">
    /// The file could not be read for longer than <see cref="FileCredentialStoreOptions.MaxUnreadable"/>.
    /// </exception>
    public async ValueTask<IReadOnlyDictionary<string, ImmutableArray<string>>> FindFactorIdsAsync(
        IReadOnlyCollection<string> userNames, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(userNames);
        await FindManyAsync([], cancellationToken).ConfigureAwait(false); // looks at the file, if it is time
        var factors = _factors;
        return userNames.Where(factors.ContainsKey).ToDictionary(
            name => name, name => ImmutableArray.CreateRange(factors[name].Keys), StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    /// <exception cref="MaterialException">The file cannot be read, or a line is none of a user.</exception>
    public ValueTask<ImmutableArray<UserFactor>> ListFactorsAsync(CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<ImmutableArray<UserFactor>>(
            [.. Parse(Read(_path)).Factors.OrderBy(user => user.Key, StringComparer.Ordinal)
                .SelectMany(user => user.Value.Values.Select(factor => new UserFactor(user.Key, factor)))]);

    /// <inheritdoc/>
    public ValueTask<int?> FindFailuresAsync(string userName, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<int?>(_users.Contains(userName) ? _failures.Find(userName) : null);

    /// <inheritdoc/>
    /// <exception cref="MaterialException"><see cref="FileCredentialStoreOptions.FailureDirectory"/> can be written by others, or locks do not
    /// exclude.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">This process may not write it.</exception>
    public async ValueTask<int?> AddFailureAsync(string userName, int limit, CancellationToken cancellationToken = default) =>
        _users.Contains(userName) ? await _failures.AddAsync(userName, limit, cancellationToken).ConfigureAwait(false) : null;

    /// <inheritdoc/>
    /// <exception cref="MaterialException">What is kept cannot be removed.</exception>
    public ValueTask<bool> ClearFailuresAsync(string userName, CancellationToken cancellationToken = default)
    {
        var name = UserNames.Prepare(userName);
        try
        {
            _failures.Clear(name);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MaterialException($"The failures of a user of {_path} cannot be cleared: {exception.Message}", exception);
        }

        return ValueTask.FromResult(_users.Contains(name));
    }

    /// <inheritdoc/>
    /// <exception cref="MaterialException">The file cannot be read, or a line is none of a user.</exception>
    public ValueTask<ImmutableArray<StoredCredential>> ListAsync(CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<ImmutableArray<StoredCredential>>(
            [.. Parse(Read(_path)).Users.InOrder()]);

    /// <summary>Stops following the file by itself, and forgets who listened. Lookups go on to look at it, and changes can still be made.</summary>
    public void Dispose() => Listen(() =>
    {
        _replaced = null;
        _refused = null;
        _factsChanged = null;
        _isDisposed = true;
    });

    private static FileCredentialStoreOptions OptionsOf(TimeProvider? timeProvider, ILoggerFactory? loggerFactory)
    {
        var options = new FileCredentialStoreOptions();
        return options with { TimeProvider = timeProvider ?? options.TimeProvider, LoggerFactory = loggerFactory ?? options.LoggerFactory };
    }

    /// <summary>Changes the handlers; the timer runs while there is one.</summary>
    private void Listen(Action change)
    {
        lock (_turn)
        {
            change();
            var isFollowing = !_isDisposed && (_replaced is not null || _refused is not null || _factsChanged is not null);
            if (!isFollowing)
            {
                _timer?.Dispose();
                _timer = null;
                return;
            }

            using (ExecutionContext.SuppressFlow())
            {
                _timer ??= _time.CreateTimer(
                    static state => _ = ((FileCredentialStore)state!).BeginLooking(), this, s_lookAgainAfter, s_lookAgainAfter);
            }
        }
    }

    private bool TryRecall(string userName, out StoredCredential? found)
    {
        var isFresh = _time.GetElapsedTime(Volatile.Read(ref _lookedAt)) < s_lookAgainAfter && !IsOverdue;
        found = isFresh ? _users.Find(userName) : null;
        return isFresh;
    }

    private async ValueTask<StoredCredential?> LookAndFindAsync(string userName, CancellationToken cancellationToken)
    {
        var looking = BeginLooking();

        // Whether users from before count at all is known only after the look.
        if (IsOverdue || FileStamp.Of(Target()).Length <= WaitsForBytes)
        {
            await looking.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        ThrowIfOverdue();
        return _users.Find(userName);
    }

    private void ThrowIfOverdue()
    {
        if (IsOverdue)
        {
            throw new MaterialException(
                $"The file {_path} has not been readable for longer than {_options.MaxUnreadable}, and all logins fail until it is. "
                    + $"{_health.Problem}");
        }
    }

    /// <summary>Has the file looked at by a thread of the pool, by one at a time.</summary>
    private Task BeginLooking()
    {
        lock (_turn)
        {
            if (_looking.IsCompleted)
            {
                Volatile.Write(ref _lookedAt, _time.GetTimestamp());
                using (ExecutionContext.SuppressFlow())
                {
                    _looking = Task.Run(ReloadIfChanged);
                }
            }

            return _looking;
        }
    }

    /// <summary>
    /// Whom another file concerns: who is gone, who has another state or other verifiers, and who has other factors, one more among them: a
    /// reconnect credential relies on there being none. No login relies on a new user.
    /// </summary>
    private static ImmutableArray<string> Differences(
        UserIndex before,
        UserIndex after,
        FrozenDictionary<string, ImmutableSortedDictionary<string, StoredFactor>> factorsBefore,
        FrozenDictionary<string, ImmutableSortedDictionary<string, StoredFactor>> factorsAfter) =>
        [.. before.ChangedIn(after)
            .Union(factorsBefore.Keys.Union(factorsAfter.Keys).Where(name => !HasSame(name, factorsBefore, factorsAfter)))];

    private static bool HasSame(
        string name,
        FrozenDictionary<string, ImmutableSortedDictionary<string, StoredFactor>> before,
        FrozenDictionary<string, ImmutableSortedDictionary<string, StoredFactor>> after) =>
        before.GetValueOrDefault(name, CredentialFileUsers.NoFactors).Values.SequenceEqual(
            after.GetValueOrDefault(name, CredentialFileUsers.NoFactors).Values);

    private void Announce(ImmutableArray<string> changed)
    {
        try
        {
            EventHandlers.TellAll(_factsChanged, this, new FactsChangedEventArgs(changed));
        }
        catch (Exception exception)
        {
            ReloadLog.HandlerFaulted(_logger, "credentials", exception);
        }
    }

    private ReloadEvents Events() => new(this, "credentials", _path, _logger);

    private void SayIfClosed()
    {
        // Several threads may look at the file at once.
        var isClosed = IsOverdue;
        if (!Interlocked.Exchange(ref _hasSaidClosed, isClosed) && isClosed)
        {
            CredentialLog.FileClosed(_logger, _path, _options.MaxUnreadable, _health.Problem ?? string.Empty);
        }
    }

    /// <returns>Null when it is the file that was read last.</returns>
    /// <exception cref="MaterialException">It is not fit to be used.</exception>
    private Content? ReadIfChanged()
    {
        var look = _file.Look(keepsContent: true);
        try
        {
            if (look.Problem is { } problem)
            {
                throw problem;
            }

            var canOthersRead = look.Content is { } seen ? CanOthersRead(seen) : _health.CanOthersRead;
            if (look.Mark == _mark)
            {
                Good(canOthersRead);
                return null;
            }

            BeforeParsing?.Invoke();
            return new Content(Parse(look.Content!.Value), look.Mark, canOthersRead);
        }
        catch
        {
            _file.Forget(); // a long file as well is read again, until it can be used
            throw;
        }
    }

    /// <returns>Whether these are other users than before.</returns>
    private bool Take(Content content)
    {
        var isFirst = _mark.Length == 0;
        _users = content.Users.Users;
        _factors = content.Users.Factors;
        _mark = content.Mark;
        Good(content.CanOthersRead);
        Volatile.Write(ref _lookedAt, _goodAt);
        return !isFirst;
    }

    private void Good(bool canOthersRead)
    {
        var isNews = canOthersRead && !_health.CanOthersRead;
        Volatile.Write(ref _goodAt, _time.GetTimestamp());
        _health = new CredentialFileHealth(letsUsersIn: true, problem: null, _time.GetUtcNow(), canOthersRead);
        if (isNews)
        {
            CredentialLog.FileReadableByOthers(_logger, _path);
        }
    }

    /// <summary>An account that can write the file can log in as any user.</summary>
    /// <returns>Whether accounts that need not read it can: every account, or its group if we read it as its owner.</returns>
    private bool CanOthersRead(FileContent file)
    {
        if (file.Mode is not { } mode)
        {
            return false;
        }

        return (mode & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) == 0
            ? (mode & UnixFileMode.OtherRead) != 0 || ((mode & UnixFileMode.GroupRead) != 0 && file.IsOurs)
            : throw new MaterialException(
                $"The file {_path} is writable by others, who could then log in as any user. Check its content, and then: chmod go-w {_path}");
    }

    private FileContent Read(string path) => BoundedFile.Read(path, _options.MaxFileBytes);

    private CredentialFileUsers Parse(FileContent content) => CredentialFile.Read(content.Bytes, _path);

    /// <returns>Whether the user was there before.</returns>
    private ValueTask<bool> ChangeAsync(string name, Func<StoredCredential?, StoredCredential?> change, CancellationToken cancellationToken) =>
        WriteAsync(
            name,
            (ref user, ref _) =>
            {
                var isThere = user is not null;
                user = change(user);
                return (isThere, true);
            },
            cancellationToken);

    /// <returns>What <paramref name="change"/> said first; where its second word is false, nothing is written.</returns>
    private async ValueTask<bool> WriteAsync(string name, UserChange change, CancellationToken cancellationToken)
    {
        try
        {
            var target = Target();
            using var held = await FileLock.AcquireAsync(target + ".lock", cancellationToken).ConfigureAwait(false);

            // Off the caller's thread, as a large file takes its time; and not given up half-way.
            return await Task.Run(() => Write(target, name, change), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MaterialException($"The file {_path} cannot be written: {exception.Message}", exception);
        }
    }

    private bool Write(string target, string name, UserChange change)
    {
        var file = Read(target);
        _ = CanOthersRead(file);
        var read = Parse(file);
        var (user, factors) = (read.Users.Find(name), read.Factors.GetValueOrDefault(name, CredentialFileUsers.NoFactors));
        var (result, isChanged) = change(ref user, ref factors);
        if (!isChanged)
        {
            ReloadIfChanged(); // what is there now is not what the caller knew
            return result;
        }

        using var content = CredentialFile.Write(read, name, user, factors);
        if (content.Length > _options.MaxFileBytes)
        {
            throw new MaterialException(
                $"The file {_path} would have more than {_options.MaxFileBytes} bytes, and could not be read again; keep so many users "
                    + "in a database.");
        }

        AtomicFile.Replace(target, content.GetBuffer().AsSpan(0, (int)content.Length), onStep: null);
        ReloadIfChanged();
        return result;
    }

    // A change replaces the file to which a symbolic link leads, and not the link.
    private string Target() => File.Exists(_path) ? File.ResolveLinkTarget(_path, returnFinalTarget: true)?.FullName ?? _path : _path;

    /// <summary>Changes one user and its factors; where the second word is false, nothing is written.</summary>
    private delegate (bool Result, bool IsChanged) UserChange(
        ref StoredCredential? user, ref ImmutableSortedDictionary<string, StoredFactor> factors);

    private readonly record struct Content(CredentialFileUsers Users, string Mark, bool CanOthersRead);
}
