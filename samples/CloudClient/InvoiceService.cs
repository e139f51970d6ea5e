using System.Net;
using MutualAuth.Connections;

namespace MutualAuth.Samples;

/// <summary>The service: a listener, and a session for each connection.</summary>
internal sealed class InvoiceService : IAsyncDisposable
{
    private readonly MutualTlsListener _listener;
    private readonly Task _serving;

    private InvoiceService(MutualTlsListener listener, ReauthenticationServer reauthentication, Action<string> tell)
    {
        _listener = listener;
        _serving = ServeAsync(reauthentication, tell);
    }

    internal EndPoint EndPoint => _listener.LocalEndPoint;

    internal static InvoiceService Open(MutualTlsServerOptions options, ReauthenticationServer reauthentication, Action<string> tell) => new(
        MutualTlsListener.Start(new MutualTlsListenerOptions
        {
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            Server = new MutualTlsServer(options),
            OnHandshakeFailed = failure => tell(failure.Message),
        }),
        reauthentication,
        tell);

    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync();
        await _serving;
    }

    private async Task ServeAsync(ReauthenticationServer reauthentication, Action<string> tell)
    {
        var sessions = new List<Task>();
        await foreach (var connection in _listener.AcceptAllAsync())
        {
            sessions.Add(new Session(connection, tell).ServeAsync(reauthentication));
        }

        await Task.WhenAll(sessions);
    }
}
