using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using MutualAuth.Credentials;

namespace MutualAuth.Stress.Roles;

/// <summary>
/// A client that does what it should, from an address of its own, near or far: <c>honest FOLDER PORT ADDRESS ROUND-TRIP-MS KIND</c>.
/// <c>handshakes COUNT AT-ONCE SECONDS</c> is answered with how many succeeded and failed, median, 99th of a hundred and worst in ms, and why the
/// last failed; <c>echo SECONDS</c> with round trips on connections that are open, failed ones, and the same times.
/// </summary>
internal sealed class HonestRole
{
    private const int EchoConnections = 4;
    private static readonly TimeSpan s_echoPace = TimeSpan.FromMilliseconds(2);

    private readonly MutualTlsClient _client;
    private readonly IPAddress _address;
    private readonly IPEndPoint _server;
    private readonly List<MutualTlsConnection> _echoing = [];

    private HonestRole(string[] words)
    {
        var folder = words[0];
        _address = IPAddress.Parse(words[2]);
        _server = new IPEndPoint(IPAddress.Loopback, Lines.Number(words[1]));
        var logsIn = words[4] == "login";
        _client = new MutualTlsClient(new()
        {
            Identity = logsIn ? ClientIdentity.None : Material.Identity(folder, "client"),
            Trust = Material.Trust(folder),
            Authorization = Authorize.ServerName,
            Credentials = logsIn ? Login.WithPassword(Material.User, Material.Password) : null,
        });
        var roundTrip = TimeSpan.FromMilliseconds(Lines.Number(words[3]));
        if (roundTrip > TimeSpan.Zero)
        {
            _server = Relay.Start(_address, _server, roundTrip / 2);
            _address = IPAddress.Loopback;
        }
    }

    internal static async Task RunAsync(string[] words)
    {
        var role = new HonestRole(words);
        await Lines.AnswerAsync("", asked => asked[0] switch
        {
            "handshakes" => role.HandshakesAsync(Lines.Number(asked[1]), Lines.Number(asked[2]), Lines.Seconds(asked[3])),
            "echo" => role.EchoAsync(Lines.Seconds(asked[1])),
            _ => throw new ArgumentException($"'{asked[0]}' is no question."),
        });
    }

    private async Task<string> HandshakesAsync(int count, int atOnce, double seconds)
    {
        var times = new List<double>();
        var (begun, failed, why) = (0, 0, "-");
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, atOnce).Select(_ => Task.Run(async () =>
        {
            while (Stopwatch.GetElapsedTime(began).TotalSeconds < seconds && Interlocked.Increment(ref begun) <= count)
            {
                var clock = Stopwatch.GetTimestamp();
                try
                {
                    await using var connection = await ConnectAsync();
                    lock (times)
                    {
                        times.Add(Stopwatch.GetElapsedTime(clock).TotalMilliseconds);
                    }
                }
                catch (Exception exception) when (exception is HandshakeException or SocketException)
                {
                    Interlocked.Increment(ref failed);
                    why = exception is HandshakeException { Reason: var reason } ? reason.ToString() : exception.GetType().Name;
                }
            }
        })));
        return string.Create(CultureInfo.InvariantCulture, $"{times.Count} {failed} {Percentiles(times)} {why}");
    }

    private async Task<MutualTlsConnection> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Bind(new IPEndPoint(_address, 0));
            await socket.ConnectAsync(_server);
            return await _client.UpgradeAsync(socket, Material.ServerName);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<string> EchoAsync(double seconds)
    {
        while (_echoing.Count < EchoConnections)
        {
            _echoing.Add(await ConnectAsync());
        }

        var times = new List<double>();
        var failed = 0;
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(_echoing.Select(connection => Task.Run(async () =>
        {
            var octets = new byte[100];
            while (Stopwatch.GetElapsedTime(began).TotalSeconds < seconds)
            {
                try
                {
                    var clock = Stopwatch.GetTimestamp();
                    await connection.Stream.WriteAsync(octets);
                    await connection.Stream.ReadExactlyAsync(octets);
                    lock (times)
                    {
                        times.Add(Stopwatch.GetElapsedTime(clock).TotalMilliseconds);
                    }

                    await Task.Delay(s_echoPace);
                }
                catch (IOException)
                {
                    Interlocked.Increment(ref failed);
                    return;
                }
            }
        })));
        return string.Create(CultureInfo.InvariantCulture, $"{times.Count} {failed} {Percentiles(times)} -");
    }

    private static string Percentiles(List<double> times)
    {
        times.Sort();
        return times.Count == 0
            ? "0 0 0"
            : $"{Lines.Text(times[times.Count / 2])} {Lines.Text(times[Math.Min(times.Count - 1, times.Count * 99 / 100)])} {Lines.Text(times[^1])}";
    }
}
