using Microsoft.Extensions.Logging;

namespace MutualAuth.Telemetry;

/// <summary>Events 1400–1449: reloads of our own material while the process runs, and its expiry.</summary>
internal static partial class ReloadLog
{
    [LoggerMessage(1400, LogLevel.Information, "Reloaded the {Material} from {Files}: {Description}.")]
    internal static partial void Replaced(ILogger logger, string material, string files, string description);

    [LoggerMessage(1401, LogLevel.Error, "Cannot reload the {Material} from {Files}; the previous version stays in force. {Problem}")]
    internal static partial void Refused(ILogger logger, string material, string files, string problem);

    [LoggerMessage(1402, LogLevel.Error, "A Replaced or Refused handler for the {Material} threw; the reload itself is complete.")]
    internal static partial void HandlerFaulted(ILogger logger, string material, Exception exception);

    [LoggerMessage(1403, LogLevel.Error, "The identity callback threw; the last identity that it returned is used.")]
    internal static partial void CallbackFaulted(ILogger logger, Exception exception);

    [LoggerMessage(1410, LogLevel.Warning, "The {Material} {Name} expires at {EndsAt:u}, in {DaysLeft:0.##} days.")]
    internal static partial void Expiring(ILogger logger, string material, string name, DateTimeOffset endsAt, double daysLeft);

    [LoggerMessage(1411, LogLevel.Error, "The {Material} {Name} expired at {EndsAt:u}; handshakes that depend on it now fail.")]
    internal static partial void Expired(ILogger logger, string material, string name, DateTimeOffset endsAt);
}
