namespace MutualAuth.Tests.Support;

/// <summary>In which way a stream does not look at its tokens.</summary>
public enum Deafness
{
    /// <summary>It overrides the synchronous members alone; disposing of it ends them.</summary>
    SynchronousOnly,

    /// <summary>Reads never end, not even by disposal.</summary>
    ReadsForEver,

    /// <summary>Writes never end, not even by disposal.</summary>
    WritesForEver,

    /// <summary>Its asynchronous read blocks the thread that calls it.</summary>
    BlocksItsCaller,

    /// <summary>Reads never end, and neither does its disposal.</summary>
    DisposesForEver,
}

/// <summary>A stream over another one that takes no notice of cancellation.</summary>
internal sealed class DeafStream(Deafness deafness, Stream? inner = null) : Stream
{
    private readonly TaskCompletionSource _waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ManualResetEventSlim _end = new();

    /// <summary>Ends when a call has begun that no token ends.</summary>
    internal Task IsWaiting => _waiting.Task;

    /// <summary>Ends when it was disposed of.</summary>
    internal Task WasDisposed => _disposed.Task;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        if (inner is not null)
        {
            return inner.Read(buffer, offset, count);
        }

        _waiting.TrySetResult();
        _end.Wait();
        throw new ObjectDisposedException(nameof(DeafStream));
    }

    public override void Write(byte[] buffer, int offset, int count) => inner?.Write(buffer, offset, count);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        switch (deafness)
        {
            case Deafness.ReadsForEver or Deafness.DisposesForEver:
                _waiting.TrySetResult();
                return new ValueTask<int>(new TaskCompletionSource<int>().Task);
            case Deafness.BlocksItsCaller:
                return new ValueTask<int>(Read(new byte[buffer.Length], 0, buffer.Length));
            default:
                return base.ReadAsync(buffer, cancellationToken);
        }
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (deafness != Deafness.WritesForEver)
        {
            return base.WriteAsync(buffer, cancellationToken);
        }

        _waiting.TrySetResult();
        return new ValueTask(new TaskCompletionSource().Task);
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (deafness == Deafness.DisposesForEver)
        {
            await new TaskCompletionSource().Task;
        }
    }

    protected override void Dispose(bool disposing)
    {
        _disposed.TrySetResult();
        _end.Set();
        if (disposing)
        {
            inner?.Dispose();
        }

        base.Dispose(disposing);
    }
}
