using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using MutualAuth.Testing.Building;

namespace MutualAuth.Testing.Responders;

/// <summary>A small HTTP/1.1 server on a free loopback port, which counts what it is asked and misbehaves on request.</summary>
/// <remarks>
/// Each connection carries one exchange. Safe for concurrent use; <see cref="Mode"/> may change at any time and takes effect on the next
/// request.
/// </remarks>
public abstract class HttpResponder : IAsyncDisposable
{
    private const int MaxRequest = 1 << 20;

    // Octets that are neither DER nor PEM, and the same in every run.
    private static readonly byte[] s_garbage = Seed.Of("garbage").Bytes(999);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Task, byte> _exchanges = new();
    private readonly ConcurrentQueue<ResponderRequest> _requests = new();
    private readonly TimeProvider _clock;
    private readonly Task _accepting;

    private protected HttpResponder(TimeProvider clock)
    {
        _clock = clock;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>How it behaves. Default: as it should.</summary>
    public ResponderMode Mode { get; set; } = ResponderMode.Normal;

    /// <summary>How long <see cref="ResponderMode.Slow"/> takes, by the authority's clock. Default: two seconds.</summary>
    public TimeSpan Delay { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How many octets <see cref="ResponderMode.Oversized"/> sends. Default: 64 MiB.</summary>
    public long OversizedLength { get; set; } = 64L << 20;

    /// <summary>How many requests have come so far.</summary>
    public int Hits => _requests.Count;

    /// <summary>The requests so far, the oldest first.</summary>
    public IReadOnlyList<ResponderRequest> Requests => [.. _requests];

    /// <summary>Where it listens, as <c>http://127.0.0.1:PORT/</c>.</summary>
    public Uri BaseUri => new($"http://{_listener.LocalEndpoint}/");

    private protected abstract ResponderReply Answer(ResponderRequest request);

    /// <summary>Stops listening and breaks off what is under way, hanging answers included.</summary>
    public async ValueTask DisposeAsync()
    {
        // In this order: asked for a connection after it has stopped, the listener throws something else again.
        await _stop.CancelAsync().ConfigureAwait(false);
        await _accepting.ConfigureAwait(false);
        await Task.WhenAll(_exchanges.Keys).ConfigureAwait(false);
        _listener.Dispose();
        _stop.Dispose();
        GC.SuppressFinalize(this);
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync(_stop.Token).ConfigureAwait(false);
                var exchange = ExchangeAsync(socket);
                _exchanges.TryAdd(exchange, 0);
                _ = exchange.ContinueWith(done => _exchanges.TryRemove(done, out _), TaskScheduler.Default);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private async Task ExchangeAsync(Socket socket)
    {
        using var stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            if (await ReadRequestAsync(stream).ConfigureAwait(false) is { } request)
            {
                _requests.Enqueue(request);
                await ReplyAsync(stream, request).ConfigureAwait(false);
                socket.Shutdown(SocketShutdown.Send);
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The asker has gone, or we stop.
        }
    }

    private async Task ReplyAsync(NetworkStream stream, ResponderRequest request)
    {
        switch (Mode)
        {
            case ResponderMode.Hang:
                await Task.Delay(Timeout.InfiniteTimeSpan, _stop.Token).ConfigureAwait(false);
                return;
            case ResponderMode.Slow:
                await Task.Delay(Delay, _clock, _stop.Token).ConfigureAwait(false);
                break;
            case ResponderMode.NotFound:
                await SendAsync(stream, ResponderReply.NotFound, ResponderReply.NotFound.Body.Length).ConfigureAwait(false);
                return;
            case ResponderMode.Garbage:
                await SendAsync(
                    stream, new ResponderReply(200, "application/octet-stream", s_garbage), 999).ConfigureAwait(false);
                return;
            case ResponderMode.Oversized:
                await SendOversizedAsync(stream).ConfigureAwait(false);
                return;
            case ResponderMode.Redirect:
                await WriteHeadAsync(stream, $"302 Found\r\nLocation: {request.Path}", "text/plain", 0).ConfigureAwait(false);
                return;
        }

        var reply = Answer(request);
        var sent = Mode == ResponderMode.Truncated ? reply.Body.Length / 2 : reply.Body.Length;
        await SendAsync(stream, reply, sent).ConfigureAwait(false);
    }

    private async Task SendAsync(NetworkStream stream, ResponderReply reply, int sent)
    {
        await WriteHeadAsync(stream, reply.Status == 200 ? "200 OK" : "404 Not Found", reply.ContentType, reply.Body.Length).ConfigureAwait(false);
        await stream.WriteAsync(reply.Body.AsMemory(0, sent), _stop.Token).ConfigureAwait(false);
    }

    private async Task SendOversizedAsync(NetworkStream stream)
    {
        await WriteHeadAsync(stream, "200 OK", "application/octet-stream", OversizedLength).ConfigureAwait(false);
        var block = new byte[64 * 1024];
        for (var left = OversizedLength; left > 0; left -= block.Length)
        {
            await stream.WriteAsync(block.AsMemory(0, (int)Math.Min(left, block.Length)), _stop.Token).ConfigureAwait(false);
        }
    }

    private async Task WriteHeadAsync(NetworkStream stream, string status, string contentType, long length)
    {
        var head = string.Create(
            CultureInfo.InvariantCulture,
            $"HTTP/1.1 {status}\r\nContent-Type: {contentType}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), _stop.Token).ConfigureAwait(false);
    }

    private async Task<ResponderRequest?> ReadRequestAsync(NetworkStream stream)
    {
        var received = new List<byte>();
        var buffer = new byte[4096];
        var headLength = -1;
        var bodyLength = 0;
        while (headLength < 0 || received.Count < headLength + bodyLength)
        {
            var count = await stream.ReadAsync(buffer, _stop.Token).ConfigureAwait(false);
            if (count == 0 || received.Count + count > MaxRequest)
            {
                return null;
            }

            received.AddRange(buffer.AsSpan(0, count));
            if (headLength < 0)
            {
                var end = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(received).IndexOf("\r\n\r\n"u8);
                headLength = end < 0 ? -1 : end + 4;
                bodyLength = headLength < 0 ? 0 : BodyLength(Encoding.Latin1.GetString([.. received[..headLength]]));
            }
        }

        var line = Encoding.Latin1.GetString([.. received[..headLength]]).Split("\r\n")[0].Split(' ');
        return line.Length < 2 ? null : new ResponderRequest(line[0], line[1], received.GetRange(headLength, bodyLength).ToArray());
    }

    private static int BodyLength(string head) => head
        .Split("\r\n")
        .Where(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))
        .Select(line => int.TryParse(
            line.AsSpan("Content-Length:".Length), NumberStyles.None | NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out var length)
            ? Math.Min(length, MaxRequest)
            : 0)
        .FirstOrDefault();
}
