namespace MutualAuth.Tests.Support;

/// <summary>
/// A stream over another one that tells when whoever reads from it has taken all that there was, and waits for more: the
/// moment to let a clock run out.
/// </summary>
internal sealed class HungryStream(Stream inner) : TamperedStream(inner)
{
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _hungry = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _taken;
    private long _wanted = long.MaxValue;
    private bool _isReading;

    /// <summary>Raised when a read begins, outside of every lock.</summary>
    internal event Action? ReadBegins;

    /// <summary>Completes once so many octets have been read and another read waits. To be called once.</summary>
    internal Task HasTakenAsync(long count)
    {
        lock (_lock)
        {
            _wanted = count;
            Tell();
        }

        return _hungry.Task.WaitAsync(ConnectedPair.Deadline);
    }

    /// <summary>Whether a read waits for more than so many octets.</summary>
    internal bool WaitsBehind(long count)
    {
        lock (_lock)
        {
            return _isReading && _taken == count;
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            _isReading = true;
            Tell();
        }

        ReadBegins?.Invoke();
        var count = await Inner.ReadAsync(buffer, cancellationToken);
        lock (_lock)
        {
            _taken += count;
            _isReading = false;
        }

        return count;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        Inner.WriteAsync(buffer, cancellationToken);

    private void Tell()
    {
        if (_isReading && _taken >= _wanted)
        {
            _hungry.TrySetResult();
        }
    }
}
