using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Telemetry;
using MutualAuth.Trust;

namespace MutualAuth.Credentials;

/// <summary>Users in a text file, one line each: <c>name:SCRAM-SHA-256$…</c>, or <c>name:!SCRAM-SHA-256$…</c> for a disabled one.</summary>
/// <remarks>
/// The file is looked at again when a user logs in and a second has passed, and each second as soon as somebody listens to <see cref="Replaced"/>; one that cannot be read leaves the last good users in force, and says so in
/// the log. Changes are written to a second file that takes the first one's place in one step, under a lock file that all writers of this library honour,
/// other processes included: a reader sees the old users or the new ones, after a crash as well. Comments do not survive a change. Safe for use from many threads.
/// </remarks>
public sealed class FileCredentialStore : IWritableCredentialStore, IReloadable, IDisposable
{
    private const int MaxFileBytes = 64 * 1024 * 1024;

    private static readonly TimeSpan s_lookAgainAfter = TimeSpan.FromSeconds(1);

    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _reading = new();
    private volatile FrozenDictionary<string, StoredCredential> _users;
    private (FileStamp Stamp, string Target) _stamp;
    private string _mark = string.Empty;
    private long _lookedAt;
    private EventHandler? _replaced;
    private ITimer? _timer;

    private FileCredentialStore(string path, TimeProvider time, ILogger logger)
    {
        _path = path;
        _time = time;
        _logger = logger;
        _stamp = Stamp();
        _users = Read();
        _lookedAt = time.GetTimestamp();
    }

    /// <inheritdoc/>
    public event EventHandler? Replaced
    {
        add
        {
            lock (_reading)
            {
                _replaced += value;
                _timer ??= Follow();
            }
        }

        remove
        {
            lock (_reading)
            {
                _replaced -= value;
            }
        }
    }

    /// <summary>Raised when the file has changed into one that is refused, once for each problem. The last good users stay in force for the time being.</summary>
    public event EventHandler<ReloadRefusedEventArgs>? Refused
    {
        add { }
        remove { }
    }

    /// <summary>How it stands with the file, as of the last look at it.</summary>
    public CredentialFileHealth Health => new(LetsUsersIn: true, Problem: null, default, CanOthersRead: false);

    internal const int WaitsForBytes = 1024 * 1024;

    internal Action? BeforeParsing { get; set; }

    internal Task Looking => Task.CompletedTask;

    /// <summary>Opens a file of users.</summary>
    public static FileCredentialStore Open(string path, FileCredentialStoreOptions options) => Open(path, options.TimeProvider, options.LoggerFactory);

    /// <summary>Opens a file of users, and makes an empty one, which only its owner may read, if there is none.</summary>
    public static FileCredentialStore OpenOrCreate(string path, FileCredentialStoreOptions options) => OpenOrCreate(path, options.TimeProvider, options.LoggerFactory);

    /// <summary>Stops following the file by itself.</summary>
    public void Dispose()
    {
    }

    /// <summary>How many users there are.</summary>
    public int Count => _users.Count;

    /// <summary>Opens a file of users.</summary>
    /// <param name="path">The file.</param>
    /// <param name="timeProvider">The clock that says when to look again; null means the system's.</param>
    /// <param name="loggerFactory">Where reloads are logged; null means nowhere.</param>
    /// <exception cref="MaterialException">It cannot be read, or a line is none of a user.</exception>
    public static FileCredentialStore Open(string path, TimeProvider? timeProvider = null, ILoggerFactory? loggerFactory = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new FileCredentialStore(Path.GetFullPath(path), timeProvider ?? TimeProvider.System, MutualAuthTelemetry.CreateLogger(loggerFactory));
    }

    /// <summary>Opens a file of users, and makes an empty one, which only its owner may read, if there is none.</summary>
    /// <exception cref="MaterialException">It cannot be made or read, or a line is none of a user.</exception>
    public static FileCredentialStore OpenOrCreate(string path, TimeProvider? timeProvider = null, ILoggerFactory? loggerFactory = null)
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

        return Open(path, timeProvider, loggerFactory);
    }

    /// <inheritdoc/>
    public ValueTask<StoredCredential?> FindAsync(string userName, CancellationToken cancellationToken)
    {
        if (_time.GetElapsedTime(Volatile.Read(ref _lookedAt)) >= s_lookAgainAfter)
        {
            ReloadIfChanged();
        }

        return ValueTask.FromResult(_users.GetValueOrDefault(userName));
    }

    /// <summary>Looks at the file now, rather than when the next user logs in.</summary>
    public void ReloadIfChanged()
    {
        if (Look())
        {
            new Reloading(this, "credentials", _path, _logger).Replaced(_replaced, $"{Count} users");
        }
    }

    private ITimer Follow()
    {
        using (ExecutionContext.SuppressFlow())
        {
            return _time.CreateTimer(static state => ((FileCredentialStore)state!).ReloadIfChanged(), this, s_lookAgainAfter, s_lookAgainAfter);
        }
    }

    /// <returns>Whether other users count from now on.</returns>
    private bool Look()
    {
        lock (_reading)
        {
            Volatile.Write(ref _lookedAt, _time.GetTimestamp());
            try
            {
                // The stamp first: what changes while we read is seen as a change the next time.
                var stamp = Stamp();
                if (stamp == _stamp && stamp.Stamp.IsSettledAt(_time.GetUtcNow()))
                {
                    return false;
                }

                var mark = _mark;
                _users = Read();
                _stamp = stamp;
                if (mark == _mark)
                {
                    return false;
                }

                CredentialLog.FileReloaded(_logger, _path, _users.Count);
                return true;
            }
            catch (Exception exception)
            {
                CredentialLog.FileNotReloaded(_logger, _path, exception.Message);
                return false;
            }
        }
    }

    /// <inheritdoc/>
    /// <exception cref="MaterialException">The file cannot be written, or another writer holds it for longer than ten seconds.</exception>
    public async ValueTask ReplaceVerifiersAsync(string userName, ImmutableArray<ScramVerifier> verifiers, CancellationToken cancellationToken = default)
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
    public ValueTask<bool> RemoveAsync(string userName, CancellationToken cancellationToken = default) => ChangeAsync(UserNames.Prepare(userName), _ => null, cancellationToken);

    /// <inheritdoc/>
    /// <exception cref="MaterialException">The file cannot be read, or a line is none of a user.</exception>
    public ValueTask<ImmutableArray<StoredCredential>> ListAsync(CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<ImmutableArray<StoredCredential>>([.. Read().Values.OrderBy(user => user.UserName, StringComparer.Ordinal)]);

    /// <returns>Whether the user was there before.</returns>
    private async ValueTask<bool> ChangeAsync(string name, Func<StoredCredential?, StoredCredential?> change, CancellationToken cancellationToken)
    {
        try
        {
            var target = Target();
            using var held = await FileLock.AcquireAsync(target + ".lock", cancellationToken).ConfigureAwait(false);
            var users = CredentialFile.Read(MaterialFile.ReadText(target, MaxFileBytes), _path).ToDictionary(StringComparer.Ordinal);
            var before = users.GetValueOrDefault(name);
            users.Remove(name);
            if (change(before) is { } after)
            {
                users.Add(name, after);
            }

            AtomicFile.Replace(target, Encoding.UTF8.GetBytes(CredentialFile.Write(users.Values)), onStep: null);
            ReloadIfChanged();
            return before is not null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MaterialException($"The file {_path} cannot be written: {exception.Message}", exception);
        }
    }

    private FrozenDictionary<string, StoredCredential> Read()
    {
        var content = new FileContent(_path, MaterialFile.ReadBytes(_path, MaxFileBytes));
        BeforeParsing?.Invoke();
        var users = CredentialFile.Read(content.Text, _path);
        _mark = FollowedFile.MarkOf(content.Bytes);
        return users;
    }

    // A symbolic link that is turned to another file, as Kubernetes does it, changes the target.
    private (FileStamp Stamp, string Target) Stamp()
    {
        var target = Target();
        return (FileStamp.Of(target), target);
    }

    private string Target() => File.Exists(_path) ? File.ResolveLinkTarget(_path, returnFinalTarget: true)?.FullName ?? _path : _path;
}
