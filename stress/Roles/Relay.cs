using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace MutualAuth.Stress.Roles;

/// <summary>A relay on loopback that delivers every octet later, each way: with it a client is as far away as one likes.</summary>
internal static class Relay
{
    /// <summary>Starts one, which goes on to the server from an address. Gives where it listens.</summary>
    internal static IPEndPoint Start(IPAddress from, IPEndPoint server, TimeSpan delay)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(512);
        _ = AcceptAsync(listener, from, server, delay);
        return (IPEndPoint)listener.LocalEndPoint!;
    }

    private static async Task AcceptAsync(Socket listener, IPAddress from, IPEndPoint server, TimeSpan delay)
    {
        while (true)
        {
            _ = RelayAsync(await listener.AcceptAsync(), from, server, delay);
        }
    }

    private static async Task RelayAsync(Socket near, IPAddress from, IPEndPoint server, TimeSpan delay)
    {
        using var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using (near)
        {
            near.NoDelay = true;
            try
            {
                far.Bind(new IPEndPoint(from, 0));
                await far.ConnectAsync(server);
                await Task.WhenAll(PassOnAsync(near, far, delay), PassOnAsync(far, near, delay));
            }
            catch (SocketException)
            {
                // One of the two has gone: both are closed.
            }
        }
    }

    private static async Task PassOnAsync(Socket from, Socket to, TimeSpan delay)
    {
        var under = Channel.CreateUnbounded<(long Read, byte[] Octets)>();
        var delivering = DeliverAsync(under.Reader, to, delay);
        var buffer = new byte[16 * 1024];
        try
        {
            int count;
            while ((count = await from.ReceiveAsync(buffer)) > 0)
            {
                under.Writer.TryWrite((Stopwatch.GetTimestamp(), buffer[..count]));
            }
        }
        finally
        {
            under.Writer.Complete();
        }

        await delivering;
    }

    private static async Task DeliverAsync(ChannelReader<(long Read, byte[] Octets)> under, Socket to, TimeSpan delay)
    {
        await foreach (var (read, octets) in under.ReadAllAsync())
        {
            var left = delay - Stopwatch.GetElapsedTime(read);
            if (left > TimeSpan.Zero)
            {
                await Task.Delay(left);
            }

            await to.SendAsync(octets);
        }

        to.Shutdown(SocketShutdown.Send);
    }
}
