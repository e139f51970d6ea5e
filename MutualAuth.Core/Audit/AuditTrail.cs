using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using MutualAuth.Errors;
using MutualAuth.Reloading;

namespace MutualAuth.Audit;

/// <summary>
/// An audit trail in a file, in which a later change is detected by an auditor who has the first key. Safe for use from many threads.
/// </summary>
/// <remarks>
/// <para>
/// Each entry is a line: a code (HMAC with SHA-384, of the entry and of the code before), a space, and JSON with number, time, kind and text. The
/// key moves on by a one-way function after each entry, and the one before is wiped from memory and replaced in the state, a file beside the trail
/// (<c>.state</c>, owner only). An attacker who takes the machine over cannot change, remove, insert or reorder an earlier entry, nor cut the end,
/// without a verification that fails; hashes that are made again do not help, for the keys are gone.
/// </para>
/// <para>
/// What remains: such an attacker has the key of the next entry and can write false ones from then on, and can bring back a pair of trail and state
/// that was copied earlier. The auditor who keeps <see cref="AuditVerification.Entries"/> elsewhere, and demands it with <c>atLeast</c>, detects
/// the latter as far as the last verification. Deleted octets may also stay on the medium: that is a matter of the file system.
/// </para>
/// <para>
/// An entry is on the disk, and so is the state, when <see cref="RecordAsync"/> completes; entries that arrive together are flushed together.
/// After the first failure nothing more is recorded, and each call throws: a program that records before it acts does not act unrecorded.
/// </para>
/// </remarks>
/// <example>
/// <code>
/// AuditTrail.Begin("audit.log", key); // once; the auditor keeps the key, elsewhere
/// await using var trail = AuditTrail.Open("audit.log");
/// await trail.RecordAsync(new AuditEvent("act", "cabinet 7 was opened"));
/// </code>
/// </example>
public sealed class AuditTrail : IAuditSink, IAsyncDisposable
{
    /// <summary>The length of the first key, in octets: draw them at random.</summary>
    public const int KeyLength = AuditChain.KeyLength;

    internal const int MaxBatch = 256;

    private const string Reserved = "trail.";
    private const string Sealed = Reserved + "sealed";
    private const string Recovered = Reserved + "recovered";
    private const string Opened = Reserved + "opened";
    private const string ClosedWell = Reserved + "closed";
    private const int QueueLength = 1024;

    private readonly string _path;
    private readonly IDisposable _lock;
    private readonly FileStream _file;
    private readonly AuditChain _chain;
    private readonly TimeProvider _time;
    private readonly Action<string>? _onStep;
    private readonly Channel<Pending> _queue = Channel.CreateBounded<Pending>(new BoundedChannelOptions(QueueLength) { SingleReader = true });
    private readonly Task _writing;
    private long _length;
    private int _isAttached;
    private int _isClosing;
    private volatile Exception? _fault;

    private AuditTrail(string path, IDisposable held, FileStream file, AuditChain chain, TimeProvider time, Action<string>? onStep)
    {
        (_path, _lock, _file, _chain, _time, _onStep) = (path, held, file, chain, time, onStep);
        _length = file.Length;
        _writing = Task.Run(WriteAllAsync);
    }

    /// <summary>Reads the first key from a file, as 48 octets or as 96 hexadecimal digits in a line.</summary>
    /// <param name="path">The file of the auditor's.</param>
    /// <exception cref="ArgumentException"><paramref name="path"/> is null or empty.</exception>
    /// <exception cref="MaterialException">The file cannot be read, or holds something else.</exception>
    /// <example><code>AuditTrail.Begin("audit.log", AuditTrail.ReadKey("audit.key"));</code></example>
    public static byte[] ReadKey(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var content = new byte[(2 * KeyLength) + 3]; // with the end of a line, and one octet to see that there is more
        try
        {
            int length;
            using (var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0))
            {
                length = file.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
            }

            if (length == KeyLength)
            {
                return content[..KeyLength];
            }

            var key = new byte[KeyLength];
            var digits = content.AsSpan(0, length).TrimEnd("\r\n"u8);
            return digits.Length == 2 * KeyLength && Convert.FromHexString(digits, key, out _, out _) == System.Buffers.OperationStatus.Done
                ? key
                : throw new MaterialException(
                    $"{path} holds no first key of an audit trail: {KeyLength} octets, or {2 * KeyLength} hexadecimal digits, are expected.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MaterialException($"The key of the audit trail {path} cannot be read: {exception.Message}", exception);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
        }
    }

    /// <summary>Begins a trail: an empty file, and its state with the first key. This machine keeps no other copy of the key.</summary>
    /// <param name="path">The file of the trail.</param>
    /// <param name="key">The first key, <see cref="KeyLength"/> random octets, which the auditor keeps and the writer does not.</param>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty, or <paramref name="key"/> has another length.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="path"/> is null.</exception>
    /// <exception cref="MaterialException">There is a trail already, or the files cannot be created.</exception>
    /// <example><code>AuditTrail.Begin("audit.log", key);</code></example>
    public static void Begin(string path, ReadOnlySpan<byte> key)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (key.Length != KeyLength)
        {
            throw new ArgumentException($"The first key must have {KeyLength} octets; it has {key.Length}.", nameof(key));
        }

        path = Path.GetFullPath(path);
        using var held = FileLock.AcquireNow(path + ".lock");
        if (File.Exists(AuditState.PathOf(path)) || new FileInfo(path) is { Exists: true, Length: > 0 })
        {
            throw new MaterialException($"There is an audit trail at {path} already: open it, or begin one in another file.");
        }

        using var chain = new AuditChain(key);
        var state = AuditState.Encode(chain, 0);
        try
        {
            AtomicFile.CreateUnlessExists(path, []);
            AtomicFile.CreateUnlessExists(AuditState.PathOf(path), state);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MaterialException($"The audit trail {path} cannot be created: {exception.Message}", exception);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(state);
        }
    }

    /// <summary>
    /// Opens a trail for writing, alone. What a crash has left is completed: whole entries that the state does not know of are kept, the beginning
    /// of one is removed, and an entry says so. The end is checked against the state; the rest only an auditor can check.
    /// </summary>
    /// <param name="path">The file of the trail.</param>
    /// <param name="time">The clock for the times of entries; null for the system's. Their order does not depend on it.</param>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="path"/> is null.</exception>
    /// <exception cref="MaterialException">
    /// Another writer has it, it is sealed, it or its state is missing or cannot be used, or its end is not the one that was written.
    /// </exception>
    /// <example><code>await using var trail = AuditTrail.Open("audit.log");</code></example>
    public static AuditTrail Open(string path, TimeProvider? time = null) => Open(path, time ?? TimeProvider.System, onStep: null);

    internal static AuditTrail Open(string path, TimeProvider time, Action<string>? onStep)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        path = Path.GetFullPath(path);
        var held = FileLock.AcquireNow(path + ".lock");
        FileStream? file = null;
        AuditChain? chain = null;
        try
        {
            (chain, var length) = AuditState.Read(path) ?? throw new MaterialException(
                $"The audit trail {path} has no state ({AuditState.PathOf(path)}): it is sealed, was not begun, or the state was removed.");
            file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
            var torn = RollForward(path, file, chain, length);
            var trail = new AuditTrail(path, held, file, chain, time, onStep);
            if (torn > 0)
            {
                _ = trail.EnqueueAsync(new AuditEvent(Recovered, $"{torn} octets of an entry that a crash left incomplete were removed"), default);
            }

            return trail;
        }
        catch (Exception exception)
        {
            chain?.Dispose();
            file?.Dispose();
            held.Dispose();
            if (exception is IOException or UnauthorizedAccessException)
            {
                throw new MaterialException($"The audit trail {path} cannot be opened: {exception.Message}", exception);
            }

            throw;
        }
    }

    /// <summary>Records an event. When it completes, the entry is on the disk.</summary>
    /// <param name="what">The event. Its text is cut after 8192 characters, its kind after 64, its connection after 128.</param>
    /// <param name="cancellationToken">Ends the wait. The event may be recorded all the same.</param>
    /// <exception cref="ArgumentNullException"><paramref name="what"/> is null.</exception>
    /// <exception cref="ArgumentException">The kind of the event begins with <c>trail.</c>, which is reserved.</exception>
    /// <exception cref="IOException">The trail cannot be written, now or since an earlier event: nothing more is recorded.</exception>
    /// <exception cref="ObjectDisposedException">The trail is closed.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    /// <example><code>await trail.RecordAsync(new AuditEvent("act", "cabinet 7 was opened"));</code></example>
    public Task RecordAsync(AuditEvent what, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(what);
        return what.What.StartsWith(Reserved, StringComparison.Ordinal)
            ? throw new ArgumentException($"Kinds of events that begin with '{Reserved}' are the trail's own; this is '{what.What}'.", nameof(what))
            : EnqueueAsync(what, cancellationToken);
    }

    /// <summary>
    /// Seals the trail and closes it: the last entry says that there is none after it, and the key is gone. A sealed trail proves its length
    /// without a state, and cannot be opened again.
    /// </summary>
    /// <exception cref="IOException">The trail cannot be written.</exception>
    /// <exception cref="ObjectDisposedException">The trail is closed.</exception>
    /// <example><code>await trail.SealAsync();</code></example>
    public async Task SealAsync()
    {
        await EnqueueAsync(new AuditEvent(Sealed, "no entry follows"), default).ConfigureAwait(false);
        await DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// Writes what is waiting, and closes the file. Where servers or clients record in it, the last entry is <c>trail.closed</c>: a trail that is
    /// opened again without it was not closed but cut off. Never throws.
    /// </summary>
    /// <example><code>await trail.DisposeAsync();</code></example>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isClosing, 1) == 0 && Volatile.Read(ref _isAttached) != 0)
        {
            try
            {
                await EnqueueAsync(new AuditEvent(ClosedWell, "the trail was closed"), default).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is IOException or ObjectDisposedException)
            {
                // It is sealed, or has failed, and who recorded in it has been told.
            }
        }

        _queue.Writer.TryComplete();
        await _writing.ConfigureAwait(false);
    }

    /// <summary>Verifies a trail, also while it is being written. It reads the file once, in constant memory.</summary>
    /// <param name="path">The file of the trail; its state is looked for beside it.</param>
    /// <param name="key">The first key.</param>
    /// <param name="atLeast">How many entries an earlier verification has found, kept where the writer cannot change it.</param>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty, or <paramref name="key"/> has another length.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="path"/> is null.</exception>
    /// <example><code>Console.WriteLine(AuditTrail.Verify("audit.log", key).Text);</code></example>
    public static AuditVerification Verify(string path, ReadOnlySpan<byte> key, long atLeast = 0)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (key.Length != KeyLength)
        {
            throw new ArgumentException($"The first key must have {KeyLength} octets; it has {key.Length}.", nameof(key));
        }

        using var chain = new AuditChain(key);
        try
        {
            var state = AuditState.Read(path); // before the trail, which may grow meanwhile
            using var known = state?.Chain;
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            return Verify(file, chain, known, atLeast);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or MaterialException)
        {
            return new(AuditProblem.Unreadable, chain.Count, false, 0, $"the trail cannot be read after entry {chain.Count}: {exception.Message}");
        }
    }

    /// <summary>A server or client records in it from now on: the first one makes the trail tell when it is opened and closed.</summary>
    internal void Attach()
    {
        if (Interlocked.Exchange(ref _isAttached, 1) == 0)
        {
            var by = $"by process {Environment.ProcessId} on {Environment.MachineName}";
            var opened = EnqueueAsync(new AuditEvent(Opened, $"the trail was opened {by}"), default);
            _ = opened.ContinueWith(
                static failed => _ = failed.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
    }

    /// <summary>Whether nothing is recorded any more because its owner has closed it.</summary>
    internal bool IsClosing => Volatile.Read(ref _isClosing) != 0;

    private static AuditVerification Verify(FileStream file, AuditChain chain, AuditChain? known, long atLeast)
    {
        var lines = new AuditLines(file);
        var isSealed = false;
        var stateFits = known is null || (known.Count == 0 && Fits(known, chain));
        var line = default(ReadOnlySpan<byte>);
        while (lines.TryRead(out line))
        {
            if (isSealed)
            {
                return Found(AuditProblem.Changed, $"entry {chain.Count} follows the seal");
            }

            if (!chain.TryFollow(line))
            {
                var number = AuditChain.Peek(line).Number;
                return number is { } other && other != chain.Count
                    ? Found(AuditProblem.OutOfOrder, $"entry {other} stands in the place of entry {chain.Count}")
                    : Found(AuditProblem.Changed, $"entry {chain.Count} is not the one that was written, or the key is that of another trail");
            }

            isSealed = AuditChain.Peek(line).What == Sealed;
            stateFits |= known is not null && known.Count == chain.Count && Fits(known, chain);
        }

        if (chain.Count < Math.Max(atLeast, known?.Count ?? 0))
        {
            return Found(AuditProblem.CutShort, $"{chain.Count} entries are left of at least {Math.Max(atLeast, known?.Count ?? 0)}");
        }

        if (!stateFits)
        {
            return Found(AuditProblem.StateChanged, $"the state is not the one after entry {known!.Count - 1}");
        }

        if (line.Length == AuditChain.MaxLineLength)
        {
            return Found(AuditProblem.Changed, $"what stands in the place of entry {chain.Count} is longer than any entry");
        }

        if (line.Length > 0)
        {
            return Found(AuditProblem.Torn, $"{chain.Count} entries are intact; the beginning of another one follows");
        }

        return known is null && !isSealed
            ? Found(
                AuditProblem.EndNotProven,
                $"{chain.Count} entries are intact, but there is neither a seal nor a state: some may be missing at the end")
            : Found(null, $"{chain.Count} entries are intact{(isSealed ? ", and sealed" : string.Empty)}");

        AuditVerification Found(AuditProblem? problem, string text) =>
            new(problem, chain.Count, isSealed, known is null ? 0 : Math.Max(0, chain.Count - known.Count), text);
    }

    private static bool Fits(AuditChain known, AuditChain chain) =>
        CryptographicOperations.FixedTimeEquals(known.Key, chain.Key) && CryptographicOperations.FixedTimeEquals(known.LastCode, chain.LastCode);

    /// <summary>Follows what was written after the state, and removes the beginning of an entry at the end.</summary>
    /// <returns>How many octets were removed.</returns>
    private static long RollForward(string path, FileStream file, AuditChain chain, long length)
    {
        if (file.Length < length)
        {
            throw new MaterialException(
                $"The audit trail {path} has {file.Length} octets, and had {length}: it was cut, or replaced by an older copy. Have it verified.");
        }

        if (chain.Count > 0 && !EndsWith(file, length, chain.LastCode))
        {
            throw new MaterialException($"The audit trail {path} does not end as it did: it was changed or replaced. Have it verified.");
        }

        file.Position = length;
        var lines = new AuditLines(file);
        var isSealed = false;
        while (lines.TryRead(out var line))
        {
            if (isSealed || !chain.TryFollow(line))
            {
                throw new MaterialException($"The audit trail {path} has an entry {chain.Count} that this trail did not write. Have it verified.");
            }

            isSealed = AuditChain.Peek(line).What == Sealed;
        }

        if (isSealed)
        {
            File.Delete(AuditState.PathOf(path)); // the writer ended before it could
            throw new MaterialException($"The audit trail {path} is sealed: begin one in another file.");
        }

        var whole = length + lines.Position;
        var torn = file.Length - whole;
        if (torn >= AuditChain.MaxLineLength)
        {
            throw new MaterialException($"The audit trail {path} ends in {torn} octets that are no entry. Have it verified.");
        }

        file.SetLength(whole);
        file.Position = whole;
        return torn;
    }

    private static bool EndsWith(FileStream file, long length, byte[] code)
    {
        var tail = new byte[Math.Min(length, AuditChain.MaxLineLength)];
        file.Position = length - tail.Length;
        file.ReadExactly(tail);
        if (tail is not [.., (byte)'\n'])
        {
            return false;
        }

        var start = tail.AsSpan(0, tail.Length - 1).LastIndexOf((byte)'\n') + 1;
        return tail.AsSpan(start).StartsWith(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(code)));
    }

    private async Task EnqueueAsync(AuditEvent what, CancellationToken cancellationToken)
    {
        var pending = new Pending(what, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        try
        {
            await _queue.Writer.WriteAsync(pending, cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            throw _fault is { } fault ? NotRecorded(fault) : Closed();
        }

        await pending.Recorded.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task WriteAllAsync()
    {
        var batch = new List<Pending>();
        try
        {
            while (await _queue.Reader.WaitToReadAsync().ConfigureAwait(false))
            {
                batch.Clear();
                while (batch.Count < MaxBatch && !EndsInSeal(batch) && _queue.Reader.TryRead(out var next))
                {
                    batch.Add(next);
                }

                Write(batch);
                batch.ForEach(static written => written.Recorded.TrySetResult());
                if (EndsInSeal(batch))
                {
                    // An event that arrived beside the seal is not recorded, and its caller is told.
                    _queue.Writer.TryComplete();
                    RefuseTheRest(Closed());
                    return;
                }
            }
        }
        catch (Exception exception)
        {
            _fault = exception;
            _queue.Writer.TryComplete();
            batch.ForEach(lost => lost.Recorded.TrySetException(NotRecorded(exception)));
            RefuseTheRest(NotRecorded(exception));
        }
        finally
        {
            _chain.Dispose();
            await _file.DisposeAsync().ConfigureAwait(false);
            _lock.Dispose();
        }
    }

    /// <summary>
    /// The entries first, then the state: after a crash between them the key in the state fits the first entry that it does not know of.
    /// </summary>
    private void Write(List<Pending> batch)
    {
        using var octets = new MemoryStream();
        foreach (var pending in batch)
        {
            octets.Write(_chain.Append(pending.What, _time.GetUtcNow()));
        }

        _file.Write(octets.GetBuffer(), 0, (int)octets.Length);
        _onStep?.Invoke("written");
        _file.Flush(flushToDisk: true);
        _onStep?.Invoke("flushed");
        _length += octets.Length;
        if (EndsInSeal(batch))
        {
            File.Delete(AuditState.PathOf(_path));
            return;
        }

        var state = AuditState.Encode(_chain, _length);
        try
        {
            AtomicFile.Replace(AuditState.PathOf(_path), state, _onStep is { } onStep ? step => onStep(step.ToString()) : null);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(state);
        }
    }

    private static bool EndsInSeal(List<Pending> batch) => batch is [.., { What.What: Sealed }];

    private void RefuseTheRest(Exception reason)
    {
        while (_queue.Reader.TryRead(out var lost))
        {
            lost.Recorded.TrySetException(reason);
        }
    }

    private ObjectDisposedException Closed() => new(nameof(AuditTrail), $"The audit trail {_path} is closed.");

    private IOException NotRecorded(Exception fault) =>
        new($"The audit trail {_path} cannot be written, and records nothing until it is opened again: {fault.Message}", fault);

    private sealed record Pending(AuditEvent What, TaskCompletionSource Recorded);
}
