using System.Net.Sockets;

namespace MutualAuth.Testing.Transports;

/// <summary>One end of a <see cref="DuplexPair"/>.</summary>
public sealed class DuplexStream : Stream
{
    private readonly DuplexDirection _inbound;
    private readonly DuplexDirection _outbound;
    private readonly TimeProvider _clock;
    private volatile int _trips;
    private volatile int _disposed;
    private volatile int _readTimeout = Timeout.Infinite;
    private volatile int _writeTimeout = Timeout.Infinite;

    internal DuplexStream(DuplexDirection inbound, DuplexDirection outbound, TimeProvider clock) =>
        (_inbound, _outbound, _clock) = (inbound, outbound, clock);

    /// <summary>
    /// How many one-way trips over the wire had to follow one another for this end to be where it is: 2 after one round trip. What counts is
    /// what had been read before something was written, so it does not depend on scheduling: read it when a call returns.
    /// </summary>
    public int Trips => _trips;

    /// <inheritdoc/>
    public override bool CanRead => _disposed == 0;

    /// <inheritdoc/>
    public override bool CanWrite => _disposed == 0;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <summary>True: synchronous calls have timeouts.</summary>
    public override bool CanTimeout => true;

    /// <summary>
    /// How many milliseconds, by the clock of the pair, a synchronous read waits before it throws an <see cref="IOException"/>; asynchronous reads
    /// wait for as long as it takes. Default: <see cref="Timeout.Infinite"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is zero, or below <see cref="Timeout.Infinite"/>.</exception>
    /// <exception cref="ObjectDisposedException">This end has been closed.</exception>
    public override int ReadTimeout
    {
        get => Open(_readTimeout);
        set => _readTimeout = Open(Valid(value));
    }

    /// <summary>The same for a synchronous write, which waits for room; some of what was to be written may be on the wire then.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is zero, or below <see cref="Timeout.Infinite"/>.</exception>
    /// <exception cref="ObjectDisposedException">This end has been closed.</exception>
    public override int WriteTimeout
    {
        get => Open(_writeTimeout);
        set => _writeTimeout = Open(Valid(value));
    }

    /// <summary>Not supported.</summary>
    public override long Length => throw new NotSupportedException();

    /// <summary>Not supported.</summary>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Ends our direction: the far end reads an end after what was sent, and can still write.</summary>
    /// <exception cref="ObjectDisposedException">This end has been closed.</exception>
    public void ShutdownWrite()
    {
        ThrowIfClosed();
        _outbound.End();
    }

    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ThrowIfClosed();
        return cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled<int>(cancellationToken) : ReadNextAsync(buffer, cancellationToken);
    }

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ThrowIfClosed();
        return cancellationToken.IsCancellationRequested
            ? ValueTask.FromCanceled(cancellationToken)
            : _outbound.WriteAsync(buffer, _trips + 1, cancellationToken);
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <inheritdoc/>
    public override IAsyncResult BeginRead(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(ReadAsync(buffer, offset, count, CancellationToken.None), callback, state);

    /// <inheritdoc/>
    public override int EndRead(IAsyncResult asyncResult) => TaskToAsyncResult.End<int>(asyncResult);

    /// <inheritdoc/>
    public override IAsyncResult BeginWrite(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(WriteAsync(buffer, offset, count, CancellationToken.None), callback, state);

    /// <inheritdoc/>
    public override void EndWrite(IAsyncResult asyncResult) => TaskToAsyncResult.End(asyncResult);

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Block(token => ReadAsync(buffer.AsMemory(offset, count), token), _readTimeout);
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        Block(
            async token =>
            {
                await WriteAsync(buffer.AsMemory(offset, count), token).ConfigureAwait(false);
                return count;
            },
            _writeTimeout);
    }

    /// <summary>Does nothing: what is written is on the wire.</summary>
    public override void Flush()
    {
    }

    /// <summary>Does nothing: what is written is on the wire.</summary>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Not supported.</summary>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <summary>Not supported.</summary>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Closes this end: the far end reads an end after what was sent, and its writes fail from the second one on.</summary>
    protected override void Dispose(bool disposing)
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _outbound.Leave();
            _inbound.Abandon();
        }

        base.Dispose(disposing);
    }

    private static int Valid(int timeout) =>
        timeout is > 0 or Timeout.Infinite ? timeout : throw new ArgumentOutOfRangeException(nameof(timeout), timeout, "Milliseconds, or infinite.");

    private static IOException Error(SocketError error, string message) => new(message, new SocketException((int)error));

    private void ThrowIfClosed() => ObjectDisposedException.ThrowIf(_disposed != 0, this);

    private int Open(int timeout)
    {
        ThrowIfClosed();
        return timeout;
    }

    private async ValueTask<int> ReadNextAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var (count, trip) = await _inbound.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        _trips = Math.Max(_trips, trip);
        return count;
    }

    /// <summary>Waits as a synchronous call does, which has the timeout of the stream and an error of its own when the stream is closed.</summary>
    private int Block(Func<CancellationToken, ValueTask<int>> call, int timeout)
    {
        using var expiry = new CancellationTokenSource(TimeSpan.FromMilliseconds(timeout), _clock);
        try
        {
            return call(expiry.Token).AsTask().GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            throw Error(SocketError.TimedOut, "Nothing came, or went, for as long as the timeout of this stream.");
        }
        catch (IOException error) when (error.InnerException is SocketException { SocketErrorCode: SocketError.OperationAborted })
        {
            throw Error(SocketError.ConnectionAborted, error.Message);
        }
    }
}
