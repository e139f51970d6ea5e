using Microsoft.Extensions.Logging;

namespace MutualAuth.Telemetry;

/// <summary>Events 1400–1449: material of our own that is replaced while the process runs, and how long it will last.</summary>
internal static partial class ReloadLog
{
    [LoggerMessage(1400, LogLevel.Information, "The {Material} was replaced, from {Files}: {Description}.")]
    internal static partial void Replaced(ILogger logger, string material, string files, string description);

    [LoggerMessage(1401, LogLevel.Error, "The {Material} was not replaced from {Files}; what was there before stays in force. {Problem}")]
    internal static partial void Refused(ILogger logger, string material, string files, string problem);

    [LoggerMessage(1402, LogLevel.Error, "A handler of a reload of the {Material} threw; the reload stands.")]
    internal static partial void HandlerFaulted(ILogger logger, string material, Exception exception);

    [LoggerMessage(1403, LogLevel.Error, "The callback that hands out our identity threw; the one that it gave last is used.")]
    internal static partial void CallbackFaulted(ILogger logger, Exception exception);

    [LoggerMessage(1410, LogLevel.Warning, "The {Material} {Name} ends at {EndsAt:u}, in {DaysLeft:0.##} days.")]
    internal static partial void Expiring(ILogger logger, string material, string name, DateTimeOffset endsAt, double daysLeft);

    [LoggerMessage(1411, LogLevel.Error, "The {Material} {Name} ended at {EndsAt:u}: peers, or we, reject on account of it.")]
    internal static partial void Expired(ILogger logger, string material, string name, DateTimeOffset endsAt);
}
