using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using MutualAuth.Telemetry;

namespace MutualAuth.AspNetCore.Transport;

/// <summary>Binds the end points of <see cref="MutualTlsWebHostBuilderExtensions"/>, and leaves the others to Kestrel's own transports.</summary>
internal sealed class MutualTlsTransportFactory(ILoggerFactory loggerFactory) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private readonly ILogger _logger = GuardedLogger.Create(loggerFactory, AspNetCoreLog.Category);

    public bool CanBind(EndPoint endpoint) => endpoint is MutualTlsEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        if (endpoint is not MutualTlsEndPoint { Listener: var options })
        {
            throw new NotSupportedException($"{endpoint} is not an end point of {nameof(MutualTlsWebHostBuilderExtensions.ListenMutualTls)}.");
        }

        try
        {
            return ValueTask.FromResult<IConnectionListener>(new MutualTlsConnectionListener(MutualTlsListener.Start(options), _logger));
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(exception.Message, exception);
        }
    }
}
