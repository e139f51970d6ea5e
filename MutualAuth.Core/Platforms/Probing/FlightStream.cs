namespace MutualAuth.Platforms;

/// <summary>
/// The other end of a TLS engine that is asked one question: it reads what it is given and then the end, and what it writes is kept. Nothing waits.
/// </summary>
internal sealed class FlightStream(ReadOnlyMemory<byte> given) : Stream
{
    private readonly MemoryStream _written = new();
    private ReadOnlyMemory<byte> _given = given;

    internal ReadOnlySpan<byte> Written => _written.GetBuffer().AsSpan(0, (int)_written.Length);

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        var count = Math.Min(buffer.Length, _given.Length);
        _given.Span[..count].CopyTo(buffer);
        _given = _given[count..];
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer) => _written.Write(buffer);

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        // Nothing is kept back.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
