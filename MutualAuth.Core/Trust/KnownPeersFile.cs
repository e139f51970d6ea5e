using System.Text;
using Microsoft.Extensions.Logging;
using MutualAuth.Reloading;
using MutualAuth.Telemetry;

namespace MutualAuth.Trust;

/// <summary>
/// Known peers in a text file, one line for each key: <c>NAME sha256/BASE64 FIRST-SEEN</c>, and behind that <c>verified=TIME</c> where people have
/// compared the key, and <c>device=LABEL</c> for further devices. Lines that begin with <c>#</c> are comments and are preserved.
/// </summary>
/// <remarks>
/// Several processes may share the file. Writers serialize through a lock file beside it (<c>.lock</c>), and changes by other processes are
/// read at the next handshake. The file is replaced as a whole, so that a crash at any moment leaves either the old state or the new one. A
/// missing, damaged or truncated file is an error and never counts as an empty one; while the error lasts, the peers that were read last
/// stay known and no peer is added. The line <c># revision N</c> counts the changes: a file of a lower revision than one that was read or written
/// before
/// is an older copy, and is an error too; with a witness, also after a restart. On Unix, only the owner can read and write the file; a file that
/// others can write is rejected. Keep it
/// on a local file system. Immutable except for its cached state; safe for concurrent use.
/// </remarks>
public sealed class KnownPeersFile : KnownPeerStore
{
    private const int DefaultMaxPeers = 4096;
    private const int MaxBytes = 16 << 20;

    private readonly string _path;
    private readonly IRevisionWitness? _witness;
    private readonly Action<ReplaceStep>? _onStep;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private volatile State _state;
    private FileStamp? _reported;
    private long _highest;

    private KnownPeersFile(string path, int maxPeers, IRevisionWitness? witness, Action<ReplaceStep>? onStep = null)
        : base(maxPeers)
    {
        _path = path;
        _witness = witness;
        _onStep = onStep;
        _state = Load();
    }

    internal override KnownPeerSet Current => _state.Text.Keys;

    internal override string Place => $"the file {_path}";

    /// <summary>Opens an existing file.</summary>
    /// <param name="path">The file; a symbolic link is resolved once, now.</param>
    /// <param name="maxPeers">The maximum number of keys, 1 to 100,000. Default: 4,096.</param>
    /// <param name="witness">Notices an older copy of the file also after a restart. Default: none, only while the process runs.</param>
    /// <exception cref="MaterialException">
    /// The file is missing, unreadable, malformed (the message has the line), writable by others, or older than the witness has seen.
    /// </exception>
    public static KnownPeersFile Open(string path, int maxPeers = DefaultMaxPeers, IRevisionWitness? witness = null) =>
        new(Resolve(path), maxPeers, witness);

    /// <summary>Opens a file, and creates it first if it does not exist: for a first start. With a wrong path, no peer would be known.</summary>
    /// <param name="path">The file; its directory must exist.</param>
    /// <param name="maxPeers">The maximum number of keys, 1 to 100,000. Default: 4,096.</param>
    /// <param name="witness">Notices an older copy of the file also after a restart. Default: none, only while the process runs.</param>
    /// <exception cref="MaterialException">
    /// The file cannot be created or read, is malformed (the message has the line), is writable by others, or is older than the witness has seen.
    /// </exception>
    public static KnownPeersFile OpenOrCreate(string path, int maxPeers = DefaultMaxPeers, IRevisionWitness? witness = null)
    {
        var resolved = Resolve(path);
        try
        {
            if (!File.Exists(resolved))
            {
                AtomicFile.CreateUnlessExists(resolved, Encoding.UTF8.GetBytes(KnownPeersText.Header));
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MaterialException($"The file of known peers {resolved} cannot be created: {exception.Message}", exception);
        }

        return new KnownPeersFile(resolved, maxPeers, witness);
    }

    /// <summary>Opens a file for a test that interrupts a replacement where a crash could.</summary>
    internal static KnownPeersFile OpenForTests(string path, Action<ReplaceStep> onStep) => new(Resolve(path), DefaultMaxPeers, null, onStep);

    internal override async ValueTask RefreshAsync(ILogger logger, CancellationToken cancellationToken)
    {
        if (IsCurrent())
        {
            return;
        }

        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        var before = Current;
        try
        {
            if (!IsCurrent())
            {
                _state = await Task.Run(Load, cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
                _reported = null;
            }
        }
        catch (MaterialException exception)
        {
            Report(logger, exception);
        }
        finally
        {
            _turn.Release();
        }

        SayIfLost(before);
    }

    /// <summary>The full path, with links resolved. Throws when file locks are disabled in this process.</summary>
    private static string Resolve(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (FileLock.IsDisabled)
        {
            throw new MaterialException(
                "File locks are disabled in this process (System.IO.DisableFileLocking); without them, known peers cannot be kept safely in a file.");
        }

        try
        {
            var full = Path.GetFullPath(path);
            return File.ResolveLinkTarget(full, returnFinalTarget: true)?.FullName ?? full;
        }
        catch (IOException)
        {
            // The file does not exist, so there is no link; the code that reads it reports the error.
            return Path.GetFullPath(path);
        }
    }

    private bool IsCurrent() => _state is { IsSettled: true } state && state.Stamp == FileStamp.Of(_path);

    /// <summary>Reads, changes and replaces the file under its lock; false when the change changes nothing.</summary>
    private protected override async ValueTask<bool> ChangeAsync(
        Func<KnownPeerSet, KnownPeerSet> change, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        var before = Current;
        bool hasChanged;
        try
        {
            using var fileLock = await FileLock.AcquireAsync(_path + ".lock", cancellationToken).ConfigureAwait(false);

            // Not on the caller's thread, because flushing to disk takes time; and not abandoned half-way.
            hasChanged = await Task.Run(() => Change(change), CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();

            // Also where the change is refused: it may have met a newer file, which is not read again for that.
            SayIfLost(before);
        }

        return hasChanged;
    }

    private bool Change(Func<KnownPeerSet, KnownPeerSet> change)
    {
        var before = _state = Load();
        var keys = change(before.Text.Keys);
        if (ReferenceEquals(keys, before.Text.Keys))
        {
            return false;
        }

        var after = before.Text.With(keys, counts: _witness is not null);
        var content = after.ToBytes();
        if (content.Length > MaxBytes)
        {
            throw new MaterialException($"The file of known peers {_path} would have more than {MaxBytes} bytes; forget some peers.");
        }

        try
        {
            AtomicFile.Replace(_path, content, _onStep);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MaterialException($"The file of known peers {_path} cannot be written: {exception.Message}", exception);
        }

        _state = new State(after, FileStamp.Of(_path), IsSettled: false);
        Saw(after.Revision);
        return true;
    }

    private State Load()
    {
        // The stamp is taken first: a change in between makes it an old one, and the file is read again.
        var stamp = FileStamp.Of(_path);
        if (CanOthersWrite())
        {
            throw new MaterialException(
                $"The file of known peers {_path} is writable by others, who could add any peer. Check its content, and then: chmod 600 {_path}");
        }

        var text = KnownPeersText.Parse(BoundedFile.ReadBytes(_path, MaxBytes), _path);
        var highest = Math.Max(_highest, Ask(witness => witness.Highest));
        if (text.Revision < highest)
        {
            throw new MaterialException(
                $"The file of known peers {_path} is of revision {text.Revision}, and there was a revision {highest}: it is an older copy, in which "
                    + "keys may stand that were removed since. Bring back the newer one; or, if this one is right, compare its keys with what you "
                    + $"know and write the line: # revision {highest + 1}");
        }

        Saw(text.Revision);
        return new State(text, stamp, stamp.IsSettledAt(TimeProvider.System.GetUtcNow()));
    }

    /// <summary>The witness comes after the file: where the process dies in between, it is behind, and follows when the file is read.</summary>
    private void Saw(long revision)
    {
        _highest = revision;
        Ask(witness =>
        {
            witness.Advance(revision);
            return revision;
        });
    }

    /// <summary>A witness of the application may throw anything; what it does not say is never taken for 0.</summary>
    private long Ask(Func<IRevisionWitness, long> question)
    {
        try
        {
            return _witness is null ? 0 : question(_witness);
        }
        catch (Exception exception) when (exception is not MaterialException)
        {
            throw new MaterialException($"The witness of the file of known peers {_path} failed: {exception.Message}", exception);
        }
    }

    private bool CanOthersWrite()
    {
        try
        {
            return !OperatingSystem.IsWindows() && (File.GetUnixFileMode(_path) & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MaterialException($"The file of known peers {_path} cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>Logs the problem once for each state of the file, and not at every handshake.</summary>
    private void Report(ILogger logger, MaterialException exception)
    {
        var stamp = FileStamp.Of(_path);
        if (_reported != stamp)
        {
            _reported = stamp;
            ValidationLog.KnownPeersUnreadable(logger, exception.Message);
        }
    }

    private sealed record State(KnownPeersText Text, FileStamp Stamp, bool IsSettled);
}
