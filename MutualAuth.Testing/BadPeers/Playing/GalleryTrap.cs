using System.Net;
using System.Net.Sockets;

namespace MutualAuth.Testing.BadPeers;

/// <summary>The address in the bad peers' certificates, which may not be asked: each connection counts, whatever is said on it.</summary>
internal sealed class GalleryTrap : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TcpListener _listener;
    private readonly Task _accepting;
    private int _hits;

    /// <param name="publishedHost">What the judged side calls this machine; null when it runs here.</param>
    internal GalleryTrap(string? publishedHost)
    {
        _listener = new TcpListener(AddressFor(publishedHost), 0);
        _listener.Start();
        var host = publishedHost is null ? "127.0.0.1" : publishedHost.Contains(':', StringComparison.Ordinal) ? $"[{publishedHost}]" : publishedHost;
        IssuerUri = $"http://{host}:{((IPEndPoint)_listener.LocalEndpoint).Port}/issuer.cer";
        _accepting = AcceptAsync();
    }

    internal string IssuerUri { get; }

    internal int Hits => Volatile.Read(ref _hits);

    /// <summary>Where to listen so that the judged side gets there.</summary>
    internal static IPAddress AddressFor(string? publishedHost) => publishedHost switch
    {
        null => IPAddress.Loopback,
        _ when publishedHost.Contains(':', StringComparison.Ordinal) => IPAddress.IPv6Any,
        _ => IPAddress.Any,
    };

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _accepting.ConfigureAwait(false);
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                using var socket = await _listener.AcceptSocketAsync(_stop.Token).ConfigureAwait(false);
                Interlocked.Increment(ref _hits);
                await AnswerAsync(socket).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private async Task AnswerAsync(Socket socket)
    {
        try
        {
            await socket.SendAsync("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray(), _stop.Token)
                .ConfigureAwait(false);
        }
        catch (SocketException)
        {
            // It asked, and did not wait.
        }
    }
}
