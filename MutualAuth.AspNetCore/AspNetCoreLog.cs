using System.Net;
using Microsoft.Extensions.Logging;

namespace MutualAuth.AspNetCore;

/// <summary>Events 2020–2039: connections beneath Kestrel, and requests of peers.</summary>
internal static partial class AspNetCoreLog
{
    internal const string Category = MutualAuthTelemetry.LogCategory + ".AspNetCore";

    [LoggerMessage(2020, LogLevel.Debug, "Connection {ConnectionId} carries requests of {Peer} at {RemoteEndPoint}.")]
    internal static partial void Began(ILogger logger, string connectionId, string peer, EndPoint? remoteEndPoint);

    [LoggerMessage(2021, LogLevel.Debug, "Connection {ConnectionId} ended while it was {Doing}: {Reason}")]
    internal static partial void Broke(ILogger logger, string connectionId, string doing, string reason);

    [LoggerMessage(2022, LogLevel.Debug, "Connection {ConnectionId} was aborted: {Reason}")]
    internal static partial void Aborted(ILogger logger, string connectionId, string reason);

    [LoggerMessage(2023, LogLevel.Information, "{Peer} may not do this: {Rejection}")]
    internal static partial void NotAllowed(ILogger logger, string peer, Rejection rejection);

    [LoggerMessage(2024, LogLevel.Error, "A callback on the end of connection {ConnectionId} threw.")]
    internal static partial void CallbackFaulted(ILogger logger, string connectionId, Exception exception);
}
