using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MutualAuth.Tests.Support;

/// <summary>A server that speaks no TLS: it says one text to everybody, at once or after something came, or nothing at all.</summary>
internal sealed class OneLineServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Task _serving;

    internal OneLineServer(string? text, string waitsFor = "")
    {
        _listener.Start();
        _serving = ServeAsync(text, waitsFor);
    }

    internal string Address => _listener.LocalEndpoint.ToString()!;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _serving.WaitAsync(RunningProgram.Deadline);
        _end.Dispose();
    }

    private async Task ServeAsync(string? text, string waitsFor)
    {
        var open = new List<Task>();
        try
        {
            while (true)
            {
                open.Add(AnswerAsync(await _listener.AcceptTcpClientAsync(_end.Token), text, waitsFor));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(open);
        }
    }

    private async Task AnswerAsync(TcpClient client, string? text, string waitsFor)
    {
        using var owned = client;
        var received = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            var stream = client.GetStream();
            while (text is null || !received.ToString().Contains(waitsFor, StringComparison.Ordinal))
            {
                if (await stream.ReadAsync(buffer, _end.Token) is not (> 0 and var count))
                {
                    return;
                }

                received.Append(Encoding.Latin1.GetString(buffer, 0, count));
            }

            await stream.WriteAsync(Encoding.ASCII.GetBytes(text), _end.Token);
            client.Client.Shutdown(SocketShutdown.Send);
            while (await stream.ReadAsync(buffer, _end.Token) > 0)
            {
                // Closing with unread octets would be a reset, which overtakes the text.
            }
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or SocketException)
        {
            // The tool has left.
        }
    }
}
