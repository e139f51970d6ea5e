namespace MutualAuth.Testing.Transports;

/// <summary>One end of a <see cref="DuplexPair"/>.</summary>
public sealed class DuplexStream : Stream
{
    private readonly DuplexDirection _inbound;
    private readonly DuplexDirection _outbound;
    private volatile int _trips;
    private int _disposed;

    internal DuplexStream(DuplexDirection inbound, DuplexDirection outbound)
    {
        _inbound = inbound;
        _outbound = outbound;
    }

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

    /// <summary>Not supported.</summary>
    public override long Length => throw new NotSupportedException();

    /// <summary>Not supported.</summary>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Ends our direction: the far end reads an end after what was sent, and can still write.</summary>
    public void ShutdownWrite() => _outbound.End();

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        var (count, trip) = await _inbound.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        _trips = Math.Max(_trips, trip);
        return count;
    }

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        return _outbound.WriteAsync(buffer, _trips + 1, cancellationToken);
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) =>
        WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

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

    /// <summary>Closes this end: the far end reads an end after what was sent, and its writes fail.</summary>
    protected override void Dispose(bool disposing)
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _outbound.End();
            _inbound.Abandon();
        }

        base.Dispose(disposing);
    }
}
