using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using MutualAuth.Testing;

namespace MutualAuth.Benchmarks.Scale;

/// <summary>How long an honest client waits while many others say nothing, or stop in the middle of their handshakes.</summary>
internal static class AcceptUnderLoad
{
    internal static async Task RunAsync(int crowd, int tries)
    {
        using var authority = new TestAuthority();
        using var serverCertificate = authority.IssueServer("server.test");
        using var clientCertificate = authority.IssueClient("client.test");
        var client = new MutualTlsClient(
            new()
            { Identity = Identity.From(clientCertificate.Certificate), Trust = authority.ToTrustAnchors(), Authorization = Authorize.ServerName });
        await using var listener = MutualTlsListener.Start(new()
        {
            Server = new(new()
            {
                Identity = Identity.From(serverCertificate.Certificate),
                Trust = authority.ToTrustAnchors(),
                Authorization = Authorize.AnyTrustedPeer,
                HandshakeTimeout = TimeSpan.FromMinutes(5),
            }),
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0),

            // One address plays a whole crowd here, and all of its handshakes are to be under way at once.
            MaxPendingHellos = 2 * crowd,
            MaxPendingHellosPerAddress = 2 * crowd,
            MaxConcurrentHandshakes = 2 * crowd,
        });
        _ = AcceptAsync(listener);

        await MeasureAsync("alone", client, listener.LocalEndPoint, tries);
        await MeasureAsync("alone", client, listener.LocalEndPoint, tries);
        var hello = await HelloRecorder.RecordAsync(SslProtocols.Tls13);
        foreach (var (what, says) in new[] { ("that say nothing", Array.Empty<byte>()), ("that stop after their ClientHello", hello) })
        {
            var crowdSockets = new List<Socket>(crowd);
            for (var count = 0; count < crowd; count++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(listener.LocalEndPoint);
                await socket.SendAsync(says);
                crowdSockets.Add(socket);
            }

            await MeasureAsync($"with {crowd} {what}", client, listener.LocalEndPoint, tries);
            crowdSockets.ForEach(socket => socket.Dispose());
        }
    }

    private static async Task AcceptAsync(MutualTlsListener listener)
    {
        await foreach (var connection in listener.AcceptAllAsync())
        {
            await connection.DisposeAsync();
        }
    }

    private static async Task MeasureAsync(string situation, MutualTlsClient client, EndPoint endPoint, int tries)
    {
        var times = new List<double>(tries);
        for (var count = 0; count < tries; count++)
        {
            var clock = Stopwatch.StartNew();
            await using var connection = await client.ConnectAsync(endPoint, "server.test");
            times.Add(clock.Elapsed.TotalMilliseconds);
        }

        times.Sort();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"an honest client, {situation}: median {times[tries / 2]:F1} ms, worst of a "
                + $"hundred {times[Math.Min(tries - 1, tries * 99 / 100)]:F1} ms"));
    }
}
