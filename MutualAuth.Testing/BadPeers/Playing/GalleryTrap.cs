using System.Net.Sockets;
using MutualAuth.Testing.Responders;

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
        _listener = PublishedAddress.Listen(publishedHost, 0);
        IssuerUri = PublishedAddress.UriOf(publishedHost, _listener) + "issuer.cer";

        // What could not be accepted is accepted later, or has gone without a word.
        _accepting = Accepting.RunAsync(_listener, AnswerAsync, static _ => { }, _stop.Token);
    }

    internal string IssuerUri { get; }

    internal int Hits => Volatile.Read(ref _hits);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _accepting.ConfigureAwait(false);
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AnswerAsync(Socket socket)
    {
        using (socket)
        {
            Interlocked.Increment(ref _hits);
            await SayNothingIsHereAsync(socket).ConfigureAwait(false);
        }
    }

    private async Task SayNothingIsHereAsync(Socket socket)
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
