// Processor time of a server for full mutual TLS 1.3 handshakes: SslStream, and TlsBufferSession over one TlsContext.
// The client is SslStream in a process of its own, the same for both. "client PORT COUNT" is that process.
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using MutualAuth.Benchmarks.TlsSession;

const int Rounds = 9;
const int Handshakes = 300;

if (args is ["client", var port, var number])
{
    await Client.RunAsync(int.Parse(port, CultureInfo.InvariantCulture), int.Parse(number, CultureInfo.InvariantCulture));
    return;
}

using var material = new Material();
using var stream = new StreamServer(material);
using var session = new SessionServer(material);
await MeasureAsync(stream);
await MeasureAsync(session);

var ratios = new List<double>();
for (var round = 0; round < Rounds; round++)
{
    var floor = await MeasureAsync(stream);
    ratios.Add(await MeasureAsync(session) / floor);
}

ratios.Sort();
Console.WriteLine($".NET {Environment.Version}, TLS 1.3, P-256, the client shows a leaf and an intermediate");
Console.WriteLine(string.Create(
    CultureInfo.InvariantCulture,
    $"TlsBufferSession / SslStream, processor time of the server, {Rounds} rounds of {Handshakes}: median {ratios[Rounds / 2]:F2}, from "
        + $"{ratios[0]:F2} to {ratios[^1]:F2}"));
Console.WriteLine($"certificates of the client that SslStream shows to the server: {stream.CertificatesSeen}");
Console.WriteLine($"certificates of the client that TlsBufferSession shows to the server: {session.CertificatesSeen}");
Console.WriteLine($"TlsBufferSession asks for the verdict when the handshake is complete: {session.AsksWhenComplete}");

static async Task<double> MeasureAsync(IServer server)
{
    using var listener = new TcpListener(IPAddress.Loopback, 0);
    listener.Start();
    var port = ((IPEndPoint)listener.LocalEndpoint).Port;
    using var client = Client.Start(port, Handshakes);
    using var process = Process.GetCurrentProcess();
    var before = TimeSpan.Zero;
    for (var count = 0; count < Handshakes; count++)
    {
        using var socket = await listener.AcceptSocketAsync();
        if (count == 0)
        {
            process.Refresh();
            before = process.TotalProcessorTime;
        }

        socket.NoDelay = true;
        await server.ServeAsync(socket);
    }

    process.Refresh();
    var spent = (process.TotalProcessorTime - before).TotalMilliseconds / Handshakes;
    await client.WaitForExitAsync();
    return client.ExitCode == 0 ? spent : throw new InvalidOperationException("The client failed.");
}
