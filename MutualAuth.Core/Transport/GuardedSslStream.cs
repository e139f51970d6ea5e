using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Runtime.Versioning;

namespace MutualAuth.Transport;

/// <summary>Who owns a guarded stream, and is asked when the application disposes of the stream instead of its owner.</summary>
internal interface ITlsOwner
{
    /// <summary>Ends the connection so that what was written arrives.</summary>
    ValueTask DisposeAsync();

    /// <summary>Ends the connection without waiting.</summary>
    void Close();
}

/// <summary>
/// The <see cref="SslStream"/> of a connection, with one owner of the TLS engine's state: its end waits until no read or write is inside
/// (<see cref="TlsStateOwner"/>), and once our side has ended it every call says so with a <see cref="ConnectionEndedException"/>.
/// </summary>
internal sealed class GuardedSslStream : SslStream
{
    private readonly HandshakeTransport _transport;
    private readonly TlsStateOwner _gate = new();
    private long _received; // by one reader at a time
    private long _sent; // by one writer at a time
    private Task? _shutdown;
    private bool _isReleased;

    internal GuardedSslStream(HandshakeTransport transport)
        : base(transport, leaveInnerStreamOpen: false)
    {
        _transport = transport;
        transport.Engine = _gate;
    }

    /// <summary>What judges the peer of this handshake: the validation callback, which all handshakes share, finds it here.</summary>
    internal object? Judge { get; init; }

    /// <summary>The connection that owns this stream, once there is one. A reference to the stream keeps it alive.</summary>
    internal ITlsOwner? Owner { get; set; }

    /// <summary>Notified when application data moves; null without an idle timeout. Set it before the application has the stream.</summary>
    internal IdleClock? IdleClock { get; set; }

    /// <summary>True when the peer said close_notify, false when its transport ended without; null while neither was seen.</summary>
    internal bool? PeerEndedCleanly { get; private set; }

    /// <summary>A read has come in and not gone out yet.</summary>
    internal bool IsBeingRead => !_gate.WhenNoReads().IsCompleted;

    /// <summary>How our side has ended the connection, and why; null while it has not.</summary>
    internal (ConnectionEnd? End, Rejection? Rejection) Ended => _gate.Ended;

    /// <summary>
    /// What was carried before, the verdicts and the login, is none of the application's. Call it before the application has the stream.
    /// </summary>
    internal void CountFromHere() => (_received, _sent) = (0, 0);

    /// <summary>How many octets of application data the peer has sent, as far as they were read.</summary>
    internal long Received => Volatile.Read(ref _received);

    /// <summary>How many octets of application data were written.</summary>
    internal long Sent => Volatile.Read(ref _sent);

    /// <summary>From here on no call of the application's comes in.</summary>
    internal void End(ConnectionEnd end, Rejection? rejection) => _gate.End(end, rejection);

    /// <summary>
    /// Says close_notify (RFC 8446 §6.1), once, as soon as no read or write is inside the TLS engine. Reading continues; a read that waits
    /// for the peer is not disturbed.
    /// </summary>
    /// <exception cref="IOException">The engine or the transport failed.</exception>
    public override Task ShutdownAsync()
    {
        lock (_gate)
        {
            return _shutdown ??= ShutdownOnceAsync();
        }
    }

    /// <summary>Says close_notify if that needs no waiting; to a stream of the application's, if it takes it soon enough.</summary>
    /// <returns>True when it has been written.</returns>
    internal bool TryShutdownNow(TimeSpan patience)
    {
        var shutdown = ShutdownAsync();
        Observe(shutdown);
        return shutdown.IsCompletedSuccessfully || (!_transport.HeedsTokens && BoundedWait.Wait(shutdown, patience));
    }

    /// <summary>Takes in, through TLS, what the peer is still sending, until its end.</summary>
    /// <exception cref="IOException">The transport failed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended.</exception>
    internal async ValueTask DrainAsync(Memory<byte> buffer, long maxBytes, CancellationToken cancellationToken)
    {
        // A read of the application's that waits for the peer takes in what comes first, and ends with it.
        await _gate.WhenNoReads().WaitAsync(cancellationToken).ConfigureAwait(false);
        while (PeerEndedCleanly is null && maxBytes > 0)
        {
            _gate.EnterToDrain();
            try
            {
                var count = await base.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
                maxBytes -= count;
                NoteEnd(count);
            }
            finally
            {
                _gate.LeaveRead();
            }
        }
    }

    /// <summary>Completes when <see cref="Release"/> has closed the transport, and never faults; who waits for it sets a bound.</summary>
    internal Task Released { get; private set; } = Task.CompletedTask;

    /// <summary>
    /// Gives back what the platform holds, and closes the transport: a stream of the application's, which may hold its thread, once, on another one.
    /// </summary>
    internal void Release()
    {
        lock (_gate)
        {
            var isFirst = !_isReleased;
            _isReleased = true;
            if (!_transport.HeedsTokens)
            {
                if (isFirst)
                {
                    Released = DisposeAsideAsync();
                }

                return;
            }
        }

        Dispose();
    }

    public override void CopyTo(Stream destination, int bufferSize)
    {
        // The platform's own looks first whether the stream is closed, and has another type for that.
        if (_gate.HasEnded)
        {
            throw _gate.ToException(null)!;
        }

        base.CopyTo(destination, bufferSize);
    }

    public override Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken) =>
        _gate.HasEnded ? Task.FromException(_gate.ToException(null)!) : base.CopyToAsync(destination, bufferSize, cancellationToken);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            _gate.EnterToRead();
        }
        catch (ConnectionEndedException exception)
        {
            return ValueTask.FromException<int>(exception);
        }

        return ReadInsideAsync(buffer, cancellationToken);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(new Memory<byte>(buffer, offset, count), cancellationToken).AsTask();

    public override int Read(Span<byte> buffer)
    {
        _gate.EnterToRead();
        try
        {
            var count = base.Read(buffer);
            return buffer.IsEmpty ? count : Take(count);
        }
        catch (Exception exception) when (Failed(exception) is { } ended)
        {
            throw ended;
        }
        finally
        {
            _gate.LeaveRead();
        }
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    public override int ReadByte()
    {
        Span<byte> one = stackalloc byte[1];
        return Read(one) == 0 ? -1 : one[0];
    }

    public override IAsyncResult BeginRead(byte[] buffer, int offset, int count, AsyncCallback? asyncCallback, object? asyncState) =>
        TaskToAsyncResult.Begin(ReadAsync(buffer, offset, count, CancellationToken.None), asyncCallback, asyncState);

    public override int EndRead(IAsyncResult asyncResult) => TaskToAsyncResult.End<int>(asyncResult);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            _gate.EnterToWrite();
        }
        catch (ConnectionEndedException exception)
        {
            return ValueTask.FromException(exception);
        }

        return WriteInsideAsync(buffer, cancellationToken);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(new ReadOnlyMemory<byte>(buffer, offset, count), cancellationToken).AsTask();

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _gate.EnterToWrite();
        try
        {
            _transport.Writing = buffer.IsEmpty ? null : IdleClock;
            base.Write(buffer);
            _sent += buffer.Length;
        }
        catch (Exception exception) when (Failed(exception) is { } ended)
        {
            throw ended;
        }
        finally
        {
            _transport.Writing = null;
            _gate.LeaveWrite();
        }
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        Write(buffer.AsSpan(offset, count));
    }

    public override void WriteByte(byte value) => Write([value]);

    public override IAsyncResult BeginWrite(byte[] buffer, int offset, int count, AsyncCallback? asyncCallback, object? asyncState) =>
        TaskToAsyncResult.Begin(WriteAsync(buffer, offset, count, CancellationToken.None), asyncCallback, asyncState);

    public override void EndWrite(IAsyncResult asyncResult) => TaskToAsyncResult.End(asyncResult);

    /// <summary>The engine is in the middle of a handshake all the while, waiting included, so that our end waits for the whole of it.</summary>
    [SupportedOSPlatform("freebsd")]
    [SupportedOSPlatform("linux")]
    [SupportedOSPlatform("windows")]
    public override async Task NegotiateClientCertificateAsync(CancellationToken cancellationToken = default)
    {
        _gate.EnterToWrite();
        try
        {
            await base.NegotiateClientCertificateAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (Failed(exception) is { } ended)
        {
            throw ended;
        }
        finally
        {
            _gate.LeaveWrite();
        }
    }

    public override ValueTask DisposeAsync()
    {
        if (!_isReleased && Owner is { } owner)
        {
            return owner.DisposeAsync();
        }

        return base.DisposeAsync();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isReleased && Owner is { } owner)
        {
            owner.Close();
            return;
        }

        base.Dispose(disposing);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReadInsideAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            var count = await base.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            return buffer.IsEmpty ? count : Take(count);
        }
        catch (Exception exception) when (Failed(exception) is { } ended)
        {
            throw ended;
        }
        finally
        {
            _gate.LeaveRead();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteInsideAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            _transport.Writing = buffer.IsEmpty ? null : IdleClock;
            await base.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
            _sent += buffer.Length;
        }
        catch (Exception exception) when (Failed(exception) is { } ended)
        {
            throw ended;
        }
        finally
        {
            _transport.Writing = null;
            _gate.LeaveWrite();
        }
    }

    private async Task ShutdownOnceAsync()
    {
        _gate.CompleteWrites();
        var (closeNotify, fault) = _gate.TryRun(this, static tls => tls.ShutdownEngine(), out var now)
            ? now
            : await ShutdownEngineWhenFreeAsync().ConfigureAwait(false);
        if (fault is not null)
        {
            throw fault;
        }

        if (!closeNotify.IsEmpty)
        {
            await _transport.WriteLastAsync(closeNotify).ConfigureAwait(false);
        }
    }

    private Task<(ReadOnlyMemory<byte> CloseNotify, IOException? Fault)> ShutdownEngineWhenFreeAsync()
    {
        var done = new TaskCompletionSource<(ReadOnlyMemory<byte>, IOException?)>(TaskCreationOptions.RunContinuationsAsynchronously);
        _gate.RunWhenFree(() => done.SetResult(ShutdownEngine()));
        return done.Task;
    }

    /// <summary>
    /// No call is inside the engine. Its output is captured and written after others may enter again: writing may wait. Never throws.
    /// </summary>
    private (ReadOnlyMemory<byte> CloseNotify, IOException? Fault) ShutdownEngine()
    {
        Exception? exception;
        try
        {
            _transport.BeginCapture();
            var shutdown = base.ShutdownAsync();
            if (shutdown.IsCompletedSuccessfully)
            {
                return (_transport.EndCapture(), null);
            }

            exception = shutdown.Exception?.InnerException;
        }
        catch (Exception thrown)
        {
            // A session that an alert or a fault has ended. The platform's own type for it is not public.
            exception = thrown;
        }

        _transport.EndCapture();
        return (default, new IOException("The TLS session has ended already.", exception));
    }

    private int Take(int count)
    {
        NoteEnd(count);
        return _gate.HasEnded ? throw _gate.ToException(null)! : count;
    }

    private void NoteEnd(int count)
    {
        if (count == 0)
        {
            PeerEndedCleanly ??= !_transport.HasEnded;
        }
        else
        {
            _transport.NoteData();
            _received += count;
            IdleClock?.Moved();
        }
    }

    /// <summary>What to throw in place of this; null to let it pass.</summary>
    private ConnectionEndedException? Failed(Exception exception)
    {
        if (_transport.HasEnded)
        {
            PeerEndedCleanly ??= false;
        }

        return _gate.HasEnded && exception is not ConnectionEndedException ? _gate.ToException(exception) : null;
    }

    private async Task DisposeAsideAsync() => await Task.Run(Dispose).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static void Observe(Task task) => _ = task.ContinueWith(
        static failed => _ = failed.Exception,
        CancellationToken.None,
        TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
        TaskScheduler.Default);
}
