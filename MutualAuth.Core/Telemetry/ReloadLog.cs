using Microsoft.Extensions.Logging;

namespace MutualAuth.Telemetry;

/// <summary>Events 1400–1449: our own material (identities, trust, lists) that is replaced while the process runs, and its expiry.</summary>
internal static partial class ReloadLog
{
    [LoggerMessage(1400, LogLevel.Information, "Reloaded the {Material} from {Files}: {Description}.")]
    internal static partial void Replaced(ILogger logger, string material, string files, string description);

    [LoggerMessage(1401, LogLevel.Error, "Cannot reload the {Material} from {Files}; the previous version stays in force. {Problem}")]
    internal static partial void Refused(ILogger logger, string material, string files, string problem);

    [LoggerMessage(1402, LogLevel.Error, "An event handler for a reload of the {Material} threw; the outcome of the reload is unchanged.")]
    internal static partial void HandlerFaulted(ILogger logger, string material, Exception exception);

    [LoggerMessage(1403, LogLevel.Error, "The identity callback threw; using the identity that it returned last.")]
    internal static partial void CallbackFaulted(ILogger logger, Exception exception);

    [LoggerMessage(1404, LogLevel.Warning, "The members of its group may write the file {File}, and could then {Power}. Run chmod g-w {File}.")]
    internal static partial void GroupWritable(ILogger logger, string file, string power);

    [LoggerMessage(1405, LogLevel.Warning,
        "Other users of this machine can read the file {File}, which holds a private key or a password of ours. Run chmod go-r {File}, or, where it "
            + "is mounted, give it the mode 0400 there.")]
    internal static partial void SecretReadable(ILogger logger, string file);

    [LoggerMessage(1406, LogLevel.Warning, "{Count} trust anchors cannot be read and were left out; peers below them are not trusted. {LeftOut}")]
    internal static partial void AnchorsLeftOut(ILogger logger, int count, string leftOut);

    [LoggerMessage(1407, LogLevel.Error,
        "The {Material} from {Files} are in force, but cannot be remembered for the next start, which could take older ones. {Problem}")]
    internal static partial void NotRemembered(ILogger logger, string material, string files, string problem);

    [LoggerMessage(1410, LogLevel.Warning, "The {Material} {Name} expires at {EndsAt:u}, in {DaysLeft:0.##} days.")]
    internal static partial void Expiring(ILogger logger, string material, string name, DateTimeOffset endsAt, double daysLeft);

    [LoggerMessage(1411, LogLevel.Error, "The {Material} {Name} expired at {EndsAt:u}; handshakes that depend on it now fail.")]
    internal static partial void Expired(ILogger logger, string material, string name, DateTimeOffset endsAt);
}
