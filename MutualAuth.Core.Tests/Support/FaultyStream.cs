namespace MutualAuth.Tests.Support;

/// <summary>A transport that plays what a test gives it to read, notes what is written, and fails as it is told.</summary>
internal sealed class FaultyStream(byte[] toRead, Exception? whenWritten = null, Exception? whenRead = null) : MemoryStream(toRead)
{
    /// <summary>The memory that was handed over, as it is now.</summary>
    internal List<ReadOnlyMemory<byte>> Lent { get; } = [];

    /// <summary>What was in it at the time, and an entry without octets for each flush.</summary>
    internal List<byte[]> Written { get; } = [];

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        whenRead is not null ? ValueTask.FromException<int>(whenRead) : base.ReadAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Lent.Add(buffer);
        Written.Add(buffer.ToArray());
        return whenWritten is not null ? ValueTask.FromException(whenWritten) : default;
    }

    public override Task FlushAsync(CancellationToken cancellationToken)
    {
        Written.Add([]);
        return Task.CompletedTask;
    }
}
