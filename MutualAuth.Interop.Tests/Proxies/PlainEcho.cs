using System.Net;
using System.Net.Sockets;

namespace MutualAuth.Tests.Proxies;

/// <summary>A server behind a wrapper.</summary>
internal static class PlainEcho
{
    /// <summary>Sends back what each connection sends, without TLS, until its listening socket is closed.</summary>
    internal static Socket Start()
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(16);
        _ = AcceptAsync();
        return listener;

        async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    _ = EchoAsync(await listener.AcceptAsync());
                }
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }

        static async Task EchoAsync(Socket accepted)
        {
            await using var stream = new NetworkStream(accepted, ownsSocket: true);
            try
            {
                await stream.CopyToAsync(stream);
            }
            catch (IOException)
            {
                // The wrapper is gone.
            }
        }
    }
}
