using Microsoft.Extensions.Logging;

namespace MutualAuth.Telemetry;

/// <summary>Events 1650–1659: the audit itself.</summary>
internal static partial class AuditLog
{
    [LoggerMessage(1650, LogLevel.Error,
        "The audit event {Kind} of the connection {ConnectionId} was not recorded ({Why}), and from now on no others may be; connections that must "
            + "be recorded are refused.")]
    internal static partial void NotRecorded(ILogger logger, string kind, string connectionId, string why, Exception? exception);

    [LoggerMessage(1651, LogLevel.Critical,
        "The audit event {Kind} of the connection {ConnectionId} was not recorded ({Why}), and from now on no others may be; connections are "
            + "accepted without, as DangerouslyContinueWithoutAudit says.")]
    internal static partial void ContinuesWithoutAudit(ILogger logger, string kind, string connectionId, string why, Exception? exception);

    [LoggerMessage(1652, LogLevel.Information, "Audit events are recorded again; {Lost} were lost, and an event says so.")]
    internal static partial void RecordedAgain(ILogger logger, long lost);
}
