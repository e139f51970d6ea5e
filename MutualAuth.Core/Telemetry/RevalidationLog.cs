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
        string? Element,
        string ConnectionId);

    [LoggerMessage(1451, LogLevel.Information, "The grace period of {Peer} at {RemoteEndPoint} has expired; the connection was closed.")]
    internal static partial void GraceOver(ILogger logger, string peer, EndPoint? remoteEndPoint, string ConnectionId);

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

    [LoggerMessage(
        1459, LogLevel.Information, "{Source} was asked again about {Users} users who are connected; {Lost} connections are no longer valid.")]
    internal static partial void UsersJudgedAgain(ILogger logger, string source, int users, int lost);

    [LoggerMessage(
        1460,
        LogLevel.Warning,
        "{Source} cannot say whether users who are connected still hold; each stays for {MaxStaleness} after the last good answer. {Problem}")]
    internal static partial void UsersUnreadable(ILogger logger, string source, TimeSpan maxStaleness, string problem);

    [LoggerMessage(1461, LogLevel.Information, "{Source} says again whether users who are connected still hold.")]
    internal static partial void UsersReadable(ILogger logger, string source);

    [LoggerMessage(1462, LogLevel.Information, "{Peer} at {RemoteEndPoint} has authenticated again; the connection is valid until {ValidUntil}.")]
    internal static partial void Renewed(
        ILogger logger, string peer, EndPoint? remoteEndPoint, DateTimeOffset? validUntil, string ConnectionId);

    [LoggerMessage(1463, LogLevel.Error, "The OnReauthenticationDue callback threw.")]
    internal static partial void DueObserverFaulted(ILogger logger, Exception exception);

    [LoggerMessage(1465, LogLevel.Debug, "{Source} accepted {Peer} again, for {Lifetime}; it knows: {Names}.")]
    internal static partial void FactsRenewed(ILogger logger, string source, string peer, string names, TimeSpan lifetime);

    [LoggerMessage(
        1466,
        LogLevel.Warning,
        "{Source} gave no answer about {Peer}, who is connected: {Problem}. It is asked again; its last yes counts for {Left}.")]
    internal static partial void FactsUnknown(ILogger logger, string source, string peer, string problem, TimeSpan left);

    [LoggerMessage(1464, LogLevel.Error, "A rule of EndWhere threw for a handshake that was under way; its connection was ended.")]
    internal static partial void EndRuleFaulted(ILogger logger, Exception exception);
}
