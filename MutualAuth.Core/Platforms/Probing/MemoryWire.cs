using System.Threading.Channels;
using MutualAuth.Hello;

namespace MutualAuth.Platforms;

/// <summary>One end of a transport in memory.</summary>
internal sealed class MemoryWire(ChannelReader<byte[]> from, ChannelWriter<byte[]> to) : Stream
{
    private ReadOnlyMemory<byte> _rest;

    internal long Written { get; private set; }

    internal long Taken { get; private set; }

    /// <summary>The first octets that were written here.</summary>
    internal ReadOnlyMemory<byte> First { get; private set; }

    /// <summary>What it says that was written here, where this is the server's end.</summary>
    internal ServerFlightReader Flight { get; } = new();

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_rest.IsEmpty)
        {
            if (!await from.WaitToReadAsync(cancellationToken).ConfigureAwait(false) || !from.TryRead(out var next))
            {
                return 0;
            }

            _rest = next;
        }

        var count = Math.Min(buffer.Length, _rest.Length);
        _rest[..count].CopyTo(buffer);
        _rest = _rest[count..];
        Taken += count;
        return count;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return default;
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        var octets = buffer.ToArray();
        if (Written == 0)
        {
            First = octets;
        }

        Written += buffer.Length;
        Flight.Take(buffer);
        to.TryWrite(octets);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
        // Nothing is kept back.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        to.TryComplete();
        base.Dispose(disposing);
    }
}
