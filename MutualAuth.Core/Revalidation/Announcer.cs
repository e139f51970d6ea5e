using Microsoft.Extensions.Logging;
using MutualAuth.Telemetry;

namespace MutualAuth.Revalidation;

/// <summary>
/// Calls an observer of the application's about connections, one after the other, separate from ending them: one that does not return delays the
/// end of no connection.
/// </summary>
internal sealed class Announcer(Action<MutualTlsConnection>? observer, ILogger logger, Action<ILogger, Exception> onFault)
{
    private readonly Lock _lock = new();
    private readonly Queue<MutualTlsConnection> _untold = new();
    private bool _isTelling;

    internal void Tell(Connections.IRevalidated connection)
    {
        if (observer is null || connection is not MutualTlsConnection ours)
        {
            return;
        }

        lock (_lock)
        {
            _untold.Enqueue(ours);
            if (_isTelling)
            {
                return;
            }

            _isTelling = true;
        }

        _ = ConnectionRevalidator.RunAside(TellAllAsync);
    }

    private Task TellAllAsync()
    {
        while (Next() is { } connection)
        {
            try
            {
                observer!(connection);
            }
            catch (Exception exception)
            {
                onFault(logger, exception);
            }
        }

        return Task.CompletedTask;
    }

    private MutualTlsConnection? Next()
    {
        lock (_lock)
        {
            _isTelling = _untold.TryDequeue(out var connection);
            return connection;
        }
    }
}
