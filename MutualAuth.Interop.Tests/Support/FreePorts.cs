using System.Net;
using System.Net.Sockets;

namespace MutualAuth.Tests.Support;

/// <summary>
/// Ports for software that cannot tell which one it took. Each is another one, and none is of the range from which systems take ports for outgoing
/// connections: such a one may be gone before the software has started.
/// </summary>
internal static class FreePorts
{
    private const int First = 10_000;
    private const int Count = 20_000;

    private static int s_last = Random.Shared.Next(Count);

    /// <summary>A port on which nobody listens at this moment, over IPv4 and IPv6.</summary>
    internal static int Next()
    {
        for (var attempt = 0; attempt < Count; attempt++)
        {
            var port = First + (int)((uint)Interlocked.Increment(ref s_last) % Count);
            if (IsFree(port, IPAddress.Loopback) && (!Socket.OSSupportsIPv6 || IsFree(port, IPAddress.IPv6Any)))
            {
                return port;
            }
        }

        throw new InvalidOperationException("No port is free.");
    }

    private static bool IsFree(int port, IPAddress address)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
