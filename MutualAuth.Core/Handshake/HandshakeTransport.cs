namespace MutualAuth.Handshake;

/// <summary>
/// The thin layer beneath <c>SslStream</c>: gives back the bytes that were read ahead, keeps the first ones for diagnosis, bounds what
/// an unauthenticated peer may send, and from then on passes every call straight through.
/// </summary>
internal sealed class HandshakeTransport : Stream
{
    private readonly Stream _inner;
    private readonly long _maxHandshakeBytes;
    private readonly byte[] _first = new byte[8];
    private ReadOnlyMemory<byte> _readAhead;
    private bool _passThrough;

    internal HandshakeTransport(Stream inner, int maxHandshakeBytes)
    {
        _inner = inner;
        _maxHandshakeBytes = maxHandshakeBytes;
    }

    /// <summary>Called when it is closed, perhaps more than once: also when the application closes the stream above and forgets the connection.</summary>
    internal Action? OnClosed { get; set; }

    /// <summary>The bytes that have come from the peer during the handshake.</summary>
    internal long Received { get; private set; }

    /// <summary>The peer sent more before it was authenticated than it may.</summary>
    internal bool LimitExceeded { get; private set; }

    /// <summary>The very first bytes of the peer's, at most eight.</summary>
    internal ReadOnlySpan<byte> FirstBytes => _first.AsSpan(0, (int)Math.Min(Received, _first.Length));

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Puts back bytes that were read through this stream, to be read again.</summary>
    internal void PutBack(ReadOnlyMemory<byte> bytes) => _readAhead = bytes;

    /// <summary>The peer is authenticated: counting and bounding end here.</summary>
    internal void PassThrough() => _passThrough = true;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_passThrough && _readAhead.IsEmpty)
        {
            return _inner.ReadAsync(buffer, cancellationToken);
        }

        return _readAhead.IsEmpty ? ReadCountedAsync(buffer, cancellationToken) : new ValueTask<int>(TakeReadAhead(buffer.Span));
    }

    public override int Read(Span<byte> buffer)
    {
        if (!_readAhead.IsEmpty)
        {
            return TakeReadAhead(buffer);
        }

        var count = _inner.Read(buffer);
        if (!_passThrough)
        {
            Count(buffer[..count]);
        }

        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => _inner.WriteAsync(buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        _inner.WriteAsync(buffer, offset, count, cancellationToken);

    public override void Write(byte[] buffer, int offset, int count) => _inner.Write(buffer, offset, count);

    public override void Write(ReadOnlySpan<byte> buffer) => _inner.Write(buffer);

    public override void Flush() => _inner.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => _inner.FlushAsync(cancellationToken);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        await _inner.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inner.Dispose();
            OnClosed?.Invoke();
        }

        base.Dispose(disposing);
    }

    private int TakeReadAhead(Span<byte> buffer)
    {
        var count = Math.Min(buffer.Length, _readAhead.Length);
        _readAhead.Span[..count].CopyTo(buffer);
        _readAhead = _readAhead[count..];
        return count;
    }

    private async ValueTask<int> ReadCountedAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var count = await _inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        Count(buffer.Span[..count]);
        return count;
    }

    private void Count(ReadOnlySpan<byte> bytes)
    {
        if (Received < _first.Length)
        {
            bytes[..(int)Math.Min(bytes.Length, _first.Length - Received)].CopyTo(_first.AsSpan((int)Received));
        }

        Received += bytes.Length;
        if (Received > _maxHandshakeBytes)
        {
            LimitExceeded = true;
            throw new IOException($"The peer sent more than {_maxHandshakeBytes} bytes before it was authenticated.");
        }
    }
}
