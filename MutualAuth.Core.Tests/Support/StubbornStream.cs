namespace MutualAuth.Tests.Support;

/// <summary>What a stream does with a call once it has become stubborn.</summary>
public enum Stubbornness
{
    /// <summary>Its reads never end: neither a token nor disposal ends them.</summary>
    ReadsForEver,

    /// <summary>Its reads block the thread that calls them, until it is disposed of.</summary>
    ReadsBlockTheirCaller,

    /// <summary>Its writes never end.</summary>
    WritesForEver,

    /// <summary>Its writes block the thread that calls them, until it is disposed of.</summary>
    WritesBlockTheirCaller,

    /// <summary>Its flushes block the thread that calls them, until it is disposed of.</summary>
    FlushesBlockTheirCaller,

    /// <summary>Its disposal never ends.</summary>
    DisposesForEver,

    /// <summary>It throws when it is disposed of.</summary>
    DisposalThrows,
}

/// <summary>A stream over another one that takes no notice of cancellation, and from some moment on carries nothing more.</summary>
internal sealed class StubbornStream(Stream inner, Stubbornness stubbornness) : Stream
{
    private readonly TaskCompletionSource _disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ManualResetEventSlim _end = new();
    private readonly ManualResetEventSlim _letGo = new();
    private volatile bool _isStubborn;

    /// <summary>Completes when its disposal begins.</summary>
    internal Task Disposed => _disposed.Task;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    internal void BecomeStubborn() => _isStubborn = true;

    /// <summary>Gives back the thread that its disposal holds, once a test is over.</summary>
    internal void LetGo() => _letGo.Set();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Obstruct(Stubbornness.ReadsBlockTheirCaller);
        if (_isStubborn && stubbornness == Stubbornness.ReadsForEver)
        {
            await new TaskCompletionSource().Task;
        }

        return await inner.ReadAsync(buffer, CancellationToken.None);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Obstruct(Stubbornness.WritesBlockTheirCaller);
        if (_isStubborn && stubbornness == Stubbornness.WritesForEver)
        {
            await new TaskCompletionSource().Task;
        }

        await inner.WriteAsync(buffer, CancellationToken.None);
    }

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        Obstruct(Stubbornness.FlushesBlockTheirCaller);
        await inner.FlushAsync(CancellationToken.None);
    }

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Write(byte[] buffer, int offset, int count) => WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush() => FlushAsync(CancellationToken.None).GetAwaiter().GetResult();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _disposed.TrySetResult();
        _end.Set();
        inner.Dispose();
        base.Dispose(disposing);
        if (_isStubborn && stubbornness == Stubbornness.DisposesForEver)
        {
            _letGo.Wait();
        }

        if (_isStubborn && stubbornness == Stubbornness.DisposalThrows)
        {
            throw new InvalidOperationException("planted");
        }
    }

    private void Obstruct(Stubbornness whose)
    {
        if (_isStubborn && stubbornness == whose)
        {
            _end.Wait();
            throw new ObjectDisposedException(nameof(StubbornStream));
        }
    }
}
