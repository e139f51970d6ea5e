using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace MutualAuth.AspNetCore.Transport;

/// <summary>
/// Hands the connections of a <see cref="MutualTlsListener"/> to Kestrel, which stops in two steps: no more connections, then no connection.
/// </summary>
internal sealed class MutualTlsConnectionListener : IConnectionListener
{
    private readonly MutualTlsListener _listener;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _unbound = new(); // without a timer it need not be disposed of
    private Task? _drain;

    internal MutualTlsConnectionListener(MutualTlsListener listener, ILogger logger)
    {
        _listener = listener;
        _logger = logger;
    }

    public EndPoint EndPoint => _listener.LocalEndPoint;

    /// <summary>The next connection; null once the listener is unbound or has ended.</summary>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_unbound.Token, cancellationToken);
        try
        {
            return new MutualTlsConnectionContext(await _listener.AcceptAsync(either.Token).ConfigureAwait(false), EndPoint, _logger);
        }
        catch (OperationCanceledException) when (_unbound.IsCancellationRequested)
        {
            return null;
        }
        catch (ListenerStoppedException exception) when (exception.InnerException is null)
        {
            return null;
        }
    }

    /// <summary>
    /// Closes the listening socket and asks the connections to drain, without waiting for them: Kestrel does that, until the host's deadline.
    /// </summary>
    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        if (_drain is null)
        {
            _drain = _listener.StopAsync(Timeout.InfiniteTimeSpan, CancellationToken.None);
            _ = TurnAwayAsync();
        }

        await _unbound.CancelAsync().ConfigureAwait(false);
    }

    /// <summary>What is open now is aborted.</summary>
    public async ValueTask DisposeAsync()
    {
        await _unbound.CancelAsync().ConfigureAwait(false);
        await _listener.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Handshakes that were under way have no server any more.</summary>
    private async Task TurnAwayAsync()
    {
        try
        {
            await foreach (var late in _listener.AcceptAllAsync().ConfigureAwait(false))
            {
                await late.DisposeAsync().ConfigureAwait(false);
            }
        }
        catch (ListenerStoppedException)
        {
            // It failed before it was stopped; there is nothing left to turn away.
        }
    }
}
