using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace MutualAuth.Telemetry;

/// <summary>Events 1200–1299: the accept loop.</summary>
internal static partial class ListenerLog
{
    [LoggerMessage(1200, LogLevel.Error, "Accept on {LocalEndPoint} failed ({Error}); still listening.")]
    internal static partial void AcceptFailed(ILogger logger, EndPoint localEndPoint, SocketError error, Exception exception);

    [LoggerMessage(1201, LogLevel.Error, "The OnHandshakeFailed callback threw.")]
    internal static partial void ObserverFaulted(ILogger logger, Exception exception);

    [LoggerMessage(1202, LogLevel.Error, "Serving an accepted socket failed, and the peer did not cause it; the socket was closed.")]
    internal static partial void ServingFaulted(ILogger logger, Exception exception);

    [LoggerMessage(1203, LogLevel.Critical, "Accept on {LocalEndPoint} has ended because the listening socket was lost. Start a new listener.")]
    internal static partial void Ended(ILogger logger, EndPoint localEndPoint, Exception exception);

    [LoggerMessage(
        1204,
        LogLevel.Warning,
        "The listener on {LocalEndPoint} may hold {Held} unauthenticated sockets, but the process may open only {Limit} descriptors. Lower the "
            + "bounds or raise the limit.")]
    internal static partial void BoundsExceedDescriptors(ILogger logger, EndPoint localEndPoint, long held, int limit);

    [LoggerMessage(
        1205,
        LogLevel.Error,
        "The listener on {LocalEndPoint} closed a new socket: nearly all of the {Limit} descriptors are in use, and no pending handshake "
            + "could be evicted.")]
    internal static partial void OutOfDescriptors(ILogger logger, EndPoint localEndPoint, int limit);

    [LoggerMessage(1206, LogLevel.Error, "One step of stopping the listener on {LocalEndPoint} failed; the other steps were completed.")]
    internal static partial void StopFaulted(ILogger logger, EndPoint localEndPoint, Exception exception);
}
