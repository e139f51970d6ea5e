using System.Net.Sockets;

namespace MutualAuth.Stress.Support;

/// <summary>What becomes of a wire at the octet at which it is cut.</summary>
internal enum Cut
{
    /// <summary>A reset.</summary>
    Reset = 1,

    /// <summary>The end of the stream.</summary>
    End = 2,

    /// <summary>Closed.</summary>
    Close = 3,

    /// <summary>Other octets follow.</summary>
    Garbage = 4,

    /// <summary>One octet is another one.</summary>
    Flip = 5,

    /// <summary>Nothing follows, and nobody leaves.</summary>
    Silence = 6,
}

/// <summary>A client's end of a socket whose writes are cut at an octet.</summary>
internal sealed class Cutter(Socket socket, Cut cut, int at) : NetworkStream(socket, ownsSocket: true)
{
    private int _written;

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var before = at - _written;
        _written += buffer.Length;
        if (before < 0 || before >= buffer.Length)
        {
            if (before >= 0 || cut is Cut.Flip)
            {
                await base.WriteAsync(buffer, cancellationToken);
            }

            return;
        }

        if (cut is Cut.Flip)
        {
            var changed = buffer.ToArray();
            changed[before] ^= 0x10;
            await base.WriteAsync(changed, cancellationToken);
            return;
        }

        await base.WriteAsync(buffer[..before], cancellationToken);
        switch (cut)
        {
            case Cut.Reset:
                Socket.LingerState = new LingerOption(true, 0);
                Socket.Dispose();
                break;
            case Cut.End:
                Socket.Shutdown(SocketShutdown.Send);
                break;
            case Cut.Close:
                Socket.Dispose();
                break;
            case Cut.Garbage:
                await base.WriteAsync(new byte[100], cancellationToken);
                break;
        }
    }
}
