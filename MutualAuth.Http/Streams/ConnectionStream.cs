using System.Runtime.CompilerServices;

namespace MutualAuth.Http.Streams;

/// <summary>
/// The stream of an authenticated connection, as the platform's handler gets it: without its being an SslStream, whose application protocol that
/// handler would read, and misread where the confirmation protocol is part of it.
/// </summary>
internal sealed class ConnectionStream : Stream
{
    private readonly MutualTlsConnection _connection;
    private readonly Stream _tls;
    private readonly SchemeRewriter? _scheme;
    private readonly CancellationTokenRegistration _drain;
    private readonly Action _onClosed;
    private int _isClosed;

    /// <param name="connection">The connection, owned from here on.</param>
    /// <param name="isHttp2">What will be spoken.</param>
    /// <param name="onDrain">Called when the connection must take no more requests; on any thread, at once if that is so already.</param>
    /// <param name="onClosed">Called once, when it has been closed.</param>
    internal ConnectionStream(MutualTlsConnection connection, bool isHttp2, Action onDrain, Action onClosed)
    {
        _connection = connection;
        _tls = connection.Stream;
        _scheme = isHttp2 ? new SchemeRewriter() : null;
        _onClosed = onClosed;
        _drain = connection.DrainRequested.UnsafeRegister(static action => ((Action)action!)(), onDrain);
    }

    /// <summary>Whether the server is still accepted.</summary>
    internal bool MayTakeRequests => !_connection.DrainRequested.IsCancellationRequested;

    public override bool CanRead => _tls.CanRead;

    public override bool CanWrite => _tls.CanWrite;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int count;
        try
        {
            count = await _tls.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException exception) when (_connection.TryGetRefusal(exception, out var refusal))
        {
            throw new IOException(refusal.Message, refusal);
        }

        return count == 0 && !buffer.IsEmpty && _connection.EndedCleanly == false
            ? throw new IOException("The server's transport ended without close_notify (RFC 8446 §6.1): what it sent may have been cut off.")
            : count;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var rewritten = _scheme?.Rewrite(buffer) ?? default;
        try
        {
            await _tls.WriteAsync(rewritten.IsChanged ? rewritten.Octets : buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException exception) when (_connection.TryGetRefusal(exception, out var refusal))
        {
            throw new IOException(refusal.Message, refusal);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => _tls.FlushAsync(cancellationToken);

    public override void Flush() => _tls.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _isClosed, 1) == 0)
        {
            _drain.Unregister();
            _tls.Dispose();
            _onClosed();
        }

        base.Dispose(disposing);
    }
}
