using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using MutualAuth.Testing;

namespace MutualAuth.Benchmarks;

/// <summary>
/// What one connection of a stranger costs who says this or that and then goes: processor time of both ends, and how much of it a line of HTTP costs.
/// </summary>
internal static class HelloCosts
{
    private const int Rounds = 5;
    private const int Connections = 200;

    internal static async Task PrintAsync()
    {
        using var authority = new TestAuthority();
        using var certificate = authority.IssueServer("server.test");
        var server = new MutualTlsServer(new()
        {
            Identity = Identity.From(certificate.Certificate),
            Trust = authority.ToTrustAnchors(),
            Authorization = Authorize.AnyTrustedPeer,
        });
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(16);

        var cases = Cases().ToList();
        var costs = cases.ToDictionary(one => one.Name, _ => new List<double>());
        foreach (var one in cases)
        {
            await MeasureAsync(server, listener, one.Says);
        }

        for (var round = 0; round < Rounds; round++)
        {
            foreach (var one in cases)
            {
                costs[one.Name].Add(await MeasureAsync(server, listener, one.Says));
            }
        }

        var plain = Median(costs[cases[0].Name]);
        Console.WriteLine($"processor time of both ends for each connection, medians of {Rounds} rounds of {Connections}");
        foreach (var one in cases)
        {
            var median = Median(costs[one.Name]);
            Console.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"  {one.Name,-52} {one.Says.Length,6} octets {median,8:F0} µs {median / plain,6:F1}"));
        }
    }

    private static IEnumerable<(string Name, byte[] Says)> Cases()
    {
        yield return ("a line of HTTP", "GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        yield return ("a hello that cannot be decoded", [22, 3, 1, 0, 4, 1, 0, 0, 0]);
        yield return ("a key share in ffdhe8192", Hello([0x1d, 0x0104], (0x0104, RandomNumberGenerator.GetBytes(1024))));
        yield return ("groups of finite fields alone", Hello([0x0100, 0x0104]));
        yield return (
            "16 KB of extensions that nobody knows, twice the last", Hello([0x1d], extensions: [.. Enumerable.Range(0x3000, 4000), 0x3000]));
        yield return ("a hello in records of one octet, TLS 1.1", OctetByOctet(Hello([0x1d], version: 0x0302)));
        yield return ("a good hello, X25519", Hello([0x1d], (0x1d, [9, .. new byte[31]])));
        foreach (var (group, name, curve) in new[]
        { (0x17, "P-256", ECCurve.NamedCurves.nistP256), (
            0x18, "P-384", ECCurve.NamedCurves.nistP384), (0x19, "P-521", ECCurve.NamedCurves.nistP521) })
        {
            using var key = ECDiffieHellman.Create(curve);
            var point = key.ExportParameters(false).Q;
            yield return ($"a good hello, {name}", Hello([group], (group, [4, .. point.X!, .. point.Y!])));
        }

        yield return ("a good hello, X25519, 6,000 cipher suites", Hello([0x1d], (0x1d, [9, .. new byte[31]]), suites: 6000));
        yield return (
            "a good hello, X25519, 3,500 unknown extensions",
            Hello([0x1d], (0x1d, [9, .. new byte[31]]), extensions: [.. Enumerable.Range(0x3000, 3500)]));
    }

    private static byte[] Hello(int[] groups, (int Group, byte[] Key)? share = null, int[]? extensions = null, int version = 0x0304, int suites = 0)
    {
        byte[] block =
        [
            .. Extension(13, Vector([4, 3, 8, 4, 4, 1])),
            .. Extension(10, Vector([.. groups.SelectMany(UInt16)])),
            .. Extension(43, [2, .. UInt16(version)]),
            .. Extension(51, Vector(share is { } one ? [.. UInt16(one.Group), .. Vector(one.Key)] : [])),
            .. (extensions ?? []).SelectMany(type => Extension(type, [])),
        ];
        byte[] list = [.. Enumerable.Range(0, suites).SelectMany(suite => UInt16(0x7000 + suite)), 0x13, 0x01, 0xc0, 0x2b];
        byte[] body = [3, 3, .. new byte[32], 32, .. new byte[32], .. Vector(list), 1, 0, .. Vector(block)];
        return [22, 3, 1, .. UInt16(body.Length + 4), 1, 0, .. UInt16(body.Length), .. body];
    }

    private static byte[] OctetByOctet(byte[] record) => [.. record[5..].SelectMany(octet => new byte[] { 22, 3, 1, 0, 1, octet })];

    private static byte[] Extension(int type, byte[] data) => [.. UInt16(type), .. Vector(data)];

    private static byte[] Vector(byte[] content) => [.. UInt16(content.Length), .. content];

    private static byte[] UInt16(int value)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)value);
        return bytes;
    }

    /// <summary>Microseconds for each connection.</summary>
    private static async Task<double> MeasureAsync(MutualTlsServer server, Socket listener, byte[] says)
    {
        using var process = Process.GetCurrentProcess();
        var began = process.TotalProcessorTime;
        var buffer = new byte[16384];
        for (var connection = 0; connection < Connections; connection++)
        {
            using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await client.ConnectAsync(listener.LocalEndPoint!);
            var handshake = AcceptAsync(server, await listener.AcceptAsync());
            await client.SendAsync(says);
            client.Shutdown(SocketShutdown.Send);
            while (await client.ReceiveAsync(buffer) > 0)
            {
            }

            await handshake;
        }

        process.Refresh();
        return (process.TotalProcessorTime - began).TotalMicroseconds / Connections;
    }

    private static async Task AcceptAsync(MutualTlsServer server, Socket socket)
    {
        try
        {
            await (await server.AcceptAsync(socket)).DisposeAsync();
        }
        catch (HandshakeException)
        {
            // As it must be.
        }
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
