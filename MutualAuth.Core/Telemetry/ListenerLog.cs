using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace MutualAuth.Telemetry;

/// <summary>Events 1200–1299: the accept loop.</summary>
internal static partial class ListenerLog
{
    [LoggerMessage(1200, LogLevel.Error, "Accepting on {LocalEndPoint} failed, {Error}; it goes on.")]
    internal static partial void AcceptFailed(ILogger logger, EndPoint localEndPoint, SocketError error);

    [LoggerMessage(1201, LogLevel.Error, "The observer of failed handshakes threw.")]
    internal static partial void ObserverFaulted(ILogger logger, Exception exception);

    [LoggerMessage(1202, LogLevel.Error, "Serving an accepted socket failed for a reason that is not the peer's; the socket was closed.")]
    internal static partial void ServingFaulted(ILogger logger, Exception exception);
}
