using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using MutualAuth.Credentials;

namespace MutualAuth.Benchmarks.Compare;

/// <summary>
/// Clients of each kind in one process: <c>compare-client DIRECTORY TLS</c>. Each line on stdin is a task,
/// <c>handshakes|bulk|messages|hold|http1-new|http1|http2 KIND PORT COUNT RESUMES</c>,
/// and is answered with the processor time that it took, the bytes it allocated and the
/// time that passed, in nanoseconds; <c>usage</c> is answered as servers answer it.
/// </summary>
internal sealed class ClientCommand(string directory, Scenario scenario)
{
    private const int Concurrency = 4;
    private const int MessageSize = 64;

    private readonly ConcurrentDictionary<string, MutualTlsClient> _ours = [];
    private readonly ConcurrentDictionary<PlainStyle, PlainTls> _plain = [];
    private readonly TaskCompletionSource _forever = new();
    private HttpLoad? _http; // for as long as the process

    internal async Task RunAsync()
    {
        Console.WriteLine("ready 0");
        while (await Console.In.ReadLineAsync() is { } line)
        {
            if (line == "usage")
            {
                Console.WriteLine(ControlLoop.Usage());
                continue;
            }

            var (cpu, bytes) = (Environment.CpuUsage.TotalTime, GC.GetTotalAllocatedBytes(precise: true));
            var time = await CarryOutAsync(line.Split(' '));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"cpu {(Environment.CpuUsage.TotalTime - cpu).Ticks * 100} {GC.GetTotalAllocatedBytes(precise: true) - bytes} {time.Ticks * 100}"));
        }
    }

    /// <summary>Does the task and returns how long its work took, connecting left out where that is not the work.</summary>
    private async Task<TimeSpan> CarryOutAsync(string[] words)
    {
        var clock = new Stopwatch();

        var (task, kind, port, count, resumes) = (words[0], words[1], Number(words[2]), Number(words[3]), words[4] == "1");
        if (task == "hold")
        {
            await HoldAsync(kind, port, count);
            return clock.Elapsed;
        }

        if (task.StartsWith("http", StringComparison.Ordinal))
        {
            _http ??= new HttpLoad(() => Ours("Ours"), () => Plain(PlainStyle.Tuned));
            clock.Start();
            await _http.SendAsync(task, kind, port, count);
            return clock.Elapsed;
        }

        if (task == "handshakes")
        {
            clock.Start();
            var left = count;
            await Task.WhenAll(Enumerable.Range(0, Concurrency).Select(async _ =>
            {
                while (Interlocked.Decrement(ref left) >= 0)
                {
                    await WithConnectionAsync(kind, port, resumes, static _ => Task.CompletedTask);
                }
            }));
        }
        else
        {
            await WithConnectionAsync(kind, port, resumes, async stream =>
            {
                clock.Start();
                await (task == "bulk" ? SendBulkAsync(stream, count) : SendMessagesAsync(stream, count));
                clock.Stop();
            });
        }

        return clock.Elapsed;
    }

    /// <summary>Connects, does the work, says goodbye and waits for the server's, so that a ticket that it sent is taken in as well.</summary>
    private async Task WithConnectionAsync(string kind, int port, bool resumes, Func<SslStream, Task> work)
    {
        if (Enum.TryParse<PlainStyle>(kind, out var style))
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port));
            await using var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            await stream.AuthenticateAsClientAsync(Plain(style).ForClient(resumes), deadline.Token);
            await Plain(style).ConfirmAsync(stream);
            await work(stream);
            await stream.ShutdownAsync();
            await ReadToEndAsync(stream);
        }
        else
        {
            await using var connection = await Ours(kind).ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), Materials.ServerName);
            await work(connection.Stream);
            await connection.CompleteWritesAsync();
            await ReadToEndAsync(connection.Stream);
        }
    }

    /// <summary>Makes connections that stay open, and have nothing to say, until the process ends.</summary>
    private async Task HoldAsync(string kind, int port, int count)
    {
        var left = count;
        await Task.WhenAll(Enumerable.Range(0, Concurrency).Select(async turn =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                var open = new TaskCompletionSource();
                _ = WithConnectionAsync(kind, port, resumes: false, stream =>
                {
                    // A read of nothing lets the stream give back the buffer of the handshake.
                    _ = stream.ReadAsync(Memory<byte>.Empty).AsTask();
                    open.SetResult();
                    return _forever.Task;
                });
                await open.Task.WaitAsync(TimeSpan.FromSeconds(30));
            }
        }));

        GC.Collect();
    }

    private static async Task ReadToEndAsync(SslStream stream)
    {
        var rest = new byte[1];
        if (await stream.ReadAsync(rest) != 0)
        {
            throw new InvalidOperationException("The server said something that nobody had asked for.");
        }
    }

    private static async Task SendBulkAsync(SslStream stream, int megabytes)
    {
        var left = megabytes << 20;
        var writing = WriteAsync();
        var buffer = new byte[64 * 1024];
        while (left > 0)
        {
            left -= await stream.ReadAsync(buffer);
        }

        await writing;

        async Task WriteAsync()
        {
            var block = new byte[64 * 1024];
            for (var sent = 0; sent < megabytes << 20; sent += block.Length)
            {
                await stream.WriteAsync(block);
            }
        }
    }

    private static async Task SendMessagesAsync(SslStream stream, int count)
    {
        var message = new byte[MessageSize];
        for (var sent = 0; sent < count; sent++)
        {
            await stream.WriteAsync(message);
            await stream.ReadExactlyAsync(message);
        }
    }

    private MutualTlsClient Ours(string kind) => _ours.GetOrAdd(kind, _ => new MutualTlsClient(new()
    {
        Identity = Identity.FromPemFiles(Path.Combine(directory, "client.pem"), Path.Combine(directory, "client.key")),
        Trust = TrustAnchors.FromPemFiles(Path.Combine(directory, "root.pem")),
        Authorization = Authorize.ServerName,
        Credentials = kind == "OursWithLogin" ? Login.WithPassword(Materials.User, Materials.Password) : null,
        MaximumTlsVersion = scenario.Tls == "1.2" ? TlsVersion.Tls12 : TlsVersion.Tls13,
    }));

    private PlainTls Plain(PlainStyle style) => _plain.GetOrAdd(style, _ => new PlainTls(style, scenario, directory, "client"));

    private static int Number(string word) => int.Parse(word, CultureInfo.InvariantCulture);
}
