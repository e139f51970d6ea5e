using System.Net.Security;
using MutualAuth.Testing.Transports;

namespace MutualAuth.Tests.Support;

internal static partial class HelloBytes
{
    /// <summary>The first flight of a real client.</summary>
    internal static async Task<byte[]> OfRealClientAsync()
    {
        await using var wire = new DuplexPair();
        wire.ClientToServer.Record = true;
        await using var client = new SslStream(wire.Client);
        var handshake = client.AuthenticateAsClientAsync("server.test");
        await wire.Server.ReadExactlyAsync(new byte[5]).AsTask().WaitAsync(ConnectedPair.Deadline);
        wire.Reset();
        await handshake.ContinueWith(static _ => { }, TaskScheduler.Default).WaitAsync(ConnectedPair.Deadline);
        return wire.ClientToServer.Recording;
    }
}
