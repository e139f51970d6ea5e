using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MutualAuth.Tests.Support;

/// <summary>An HTTP server on loopback whose answers a test writes octet by octet. Each connection carries one exchange.</summary>
internal sealed class RawHttpServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<string, Stream, CancellationToken, Task> _answer;
    private readonly ConcurrentQueue<string> _heads = new();
    private readonly ConcurrentBag<Task> _exchanges = [];
    private readonly Task _accepting;

    /// <param name="answer">Takes the head of the request, and writes all of the answer.</param>
    internal RawHttpServer(Func<string, Stream, CancellationToken, Task> answer)
    {
        _answer = answer;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    internal Uri Uri => new($"http://{_listener.LocalEndpoint}/list.crl");

    /// <summary>The heads of the requests, the oldest first.</summary>
    internal IReadOnlyList<string> Heads => [.. _heads];

    internal static async Task SendAsync(Stream stream, string status, string headers, byte[] body, CancellationToken cancellationToken)
    {
        var head = $"HTTP/1.1 {status}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n{headers}\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), cancellationToken);
        await stream.WriteAsync(body, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        await Task.WhenAll(_exchanges);
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _exchanges.Add(ExchangeAsync(await _listener.AcceptSocketAsync(_stop.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private async Task ExchangeAsync(Socket socket)
    {
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            var head = new StringBuilder();
            var buffer = new byte[1];
            while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(buffer, _stop.Token) > 0)
            {
                head.Append((char)buffer[0]);
            }

            _heads.Enqueue(head.ToString());
            await _answer(head.ToString(), stream, _stop.Token);
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The asker has gone, or we stop.
        }
    }
}
