using System.Net;
using Microsoft.Extensions.Logging;

namespace MutualAuth.Telemetry;

/// <summary>Events 1450–1499: live connections that are re-evaluated.</summary>
internal static partial class RevalidationLog
{
    [LoggerMessage(1450, LogLevel.Warning, "{Peer} at {RemoteEndPoint} is no longer valid while connected; action: {Action}. {Rejection}")]
    internal static partial void NoLongerValid(
        ILogger logger,
        string peer,
        EndPoint? remoteEndPoint,
        string action,
        Rejection rejection,
        string Reason,
        string Expected,
        string Presented,
        string? Element);

    [LoggerMessage(1451, LogLevel.Information, "The grace period of {Peer} at {RemoteEndPoint} has expired; the connection was closed.")]
    internal static partial void GraceOver(ILogger logger, string peer, EndPoint? remoteEndPoint);

    [LoggerMessage(
        1452, LogLevel.Information, "Trust or authorization changed: re-evaluated {Judged} of {Live} connections; {Lost} are no longer authorized.")]
    internal static partial void JudgedAgain(ILogger logger, int judged, int live, int lost);

    [LoggerMessage(1453, LogLevel.Error, "Re-evaluating a live connection failed; the connection was closed.")]
    internal static partial void RejudgeFaulted(ILogger logger, Exception exception);

    [LoggerMessage(1454, LogLevel.Error, "The OnInvalidated callback threw.")]
    internal static partial void ObserverFaulted(ILogger logger, Exception exception);

    [LoggerMessage(1455, LogLevel.Error, "Finding the live connections that a change affects failed; re-evaluating all of them.")]
    internal static partial void SearchFaulted(ILogger logger, Exception exception);

    [LoggerMessage(1456, LogLevel.Error, "Closing a live connection failed.")]
    internal static partial void EndFaulted(ILogger logger, Exception exception);

    [LoggerMessage(1457, LogLevel.Error, "An application callback on a cancellation token of the connection with {Peer} at {RemoteEndPoint} threw.")]
    internal static partial void CallbackFaulted(ILogger logger, string peer, EndPoint? remoteEndPoint, Exception exception);

    [LoggerMessage(1458, LogLevel.Error, "The clock (TimeProvider) threw; checking again in one minute which live connections are due.")]
    internal static partial void ClockFaulted(ILogger logger, Exception exception);
}
