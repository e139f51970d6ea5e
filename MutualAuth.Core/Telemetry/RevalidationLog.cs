using System.Net;
using Microsoft.Extensions.Logging;

namespace MutualAuth.Telemetry;

/// <summary>Events 1450–1499: live connections that are judged again.</summary>
internal static partial class RevalidationLog
{
    [LoggerMessage(1450, LogLevel.Warning, "{Peer} at {RemoteEndPoint} has lost its ground while connected; {Action}. {Rejection}")]
    internal static partial void NoLongerValid(ILogger logger, string peer, EndPoint? remoteEndPoint, string action, Rejection rejection);

    [LoggerMessage(1451, LogLevel.Information, "The grace period of {Peer} at {RemoteEndPoint} is over; the connection was closed.")]
    internal static partial void GraceOver(ILogger logger, string peer, EndPoint? remoteEndPoint);

    [LoggerMessage(1452, LogLevel.Information, "What live connections stand on was replaced: {Judged} of {Live} were judged again, {Lost} have lost their ground.")]
    internal static partial void JudgedAgain(ILogger logger, int judged, int live, int lost);

    [LoggerMessage(1453, LogLevel.Error, "Judging a live connection again failed; it was ended.")]
    internal static partial void RejudgeFaulted(ILogger logger, Exception exception);

    [LoggerMessage(1454, LogLevel.Error, "The observer of lost ground threw.")]
    internal static partial void ObserverFaulted(ILogger logger, Exception exception);

    [LoggerMessage(1455, LogLevel.Error, "Looking for the live connections that a change concerns failed; all are judged again.")]
    internal static partial void SearchFaulted(ILogger logger, Exception exception);

    [LoggerMessage(1456, LogLevel.Error, "Ending a live connection failed.")]
    internal static partial void EndFaulted(ILogger logger, Exception exception);

    [LoggerMessage(1457, LogLevel.Error, "A callback of the application's on a token of the connection with {Peer} at {RemoteEndPoint} threw.")]
    internal static partial void CallbackFaulted(ILogger logger, string peer, EndPoint? remoteEndPoint, Exception exception);

    [LoggerMessage(1458, LogLevel.Error, "The clock threw; what is due on live connections is looked for again in a minute.")]
    internal static partial void ClockFaulted(ILogger logger, Exception exception);
}
