namespace MutualAuth.Testing.BadPeers;

/// <summary>A transport that remembers whether the far end has ended it. BouncyCastle calls what is synchronous only.</summary>
internal sealed class WatchedTransport(Stream transport) : Stream
{
    private volatile bool _closedHere;

    /// <summary>Whether the far end has closed or reset the connection, before we did.</summary>
    internal bool EndedByFarEnd { get; private set; }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count)
    {
        var read = Watch(() => transport.Read(buffer, offset, count));
        EndedByFarEnd |= read == 0 && count > 0 && !_closedHere;
        return read;
    }

    public override void Write(byte[] buffer, int offset, int count) => Watch(() =>
    {
        transport.Write(buffer, offset, count);
        return 0;
    });

    public override void Flush() => transport.Flush();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _closedHere = true;
        transport.Dispose();
        base.Dispose(disposing);
    }

    private int Watch(Func<int> action)
    {
        try
        {
            return action();
        }
        catch (IOException)
        {
            EndedByFarEnd |= !_closedHere;
            throw;
        }
    }
}
