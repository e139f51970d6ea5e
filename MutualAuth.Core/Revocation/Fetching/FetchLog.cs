using Microsoft.Extensions.Logging;

namespace MutualAuth.Revocation;

/// <summary>Events 1640–1649: revocation lists that are fetched.</summary>
internal static partial class FetchLog
{
    [LoggerMessage(1640, LogLevel.Warning,
        "The revocation lists at {Address} could not be fetched ({Reason}), for the {Times}. time in a row: {Detail}. The last good ones "
            + "stay in force until their next update.")]
    internal static partial void Failed(ILogger logger, string address, RevocationFetchFailure reason, string detail, int times);

    [LoggerMessage(1641, LogLevel.Error,
        "The last good revocation lists of {Address} expired at {EndsAt:u}; the status of certificates that they covered is unknown until there are "
            + "newer ones.")]
    internal static partial void Over(ILogger logger, string address, DateTimeOffset endsAt);

    [LoggerMessage(1642, LogLevel.Error, "Of the revocation lists that were fetched from {Address}: {Problem}")]
    internal static partial void Refuted(ILogger logger, string address, string problem);

    [LoggerMessage(1643, LogLevel.Information, "The revocation lists of {Address} that an earlier run kept are in use: {Description}.")]
    internal static partial void Recalled(ILogger logger, string address, string description);

    [LoggerMessage(1644, LogLevel.Warning, "The revocation lists of {Address} that an earlier run kept cannot be used. {Problem}")]
    internal static partial void NotRecalled(ILogger logger, string address, string problem);

    [LoggerMessage(1645, LogLevel.Warning, "The revocation lists of {Address} are in force, but cannot be kept for the next start: {Problem}")]
    internal static partial void NotKept(ILogger logger, string address, string problem);

    [LoggerMessage(1646, LogLevel.Error,
        "Taking the revocation lists of {Address} failed because of an unexpected error; it is tried again. Please report this.")]
    internal static partial void Faulted(ILogger logger, string address, Exception exception);

    /// <summary>Counts a fetch by its outcome.</summary>
    internal static void Count(RevocationFetchFailure? failure) => MutualAuthTelemetry.Try(
        failure,
        static failed => MutualAuthTelemetry.RevocationFetches.Add(
            1, new KeyValuePair<string, object?>("mutualauth.fetch.outcome", failed is { } reason ? CodeOf(reason) : "good")));

    private static string CodeOf(RevocationFetchFailure failure) => failure switch
    {
        RevocationFetchFailure.Unreachable => "unreachable",
        RevocationFetchFailure.TimedOut => "timed_out",
        RevocationFetchFailure.HttpStatus => "http_status",
        RevocationFetchFailure.Redirected => "redirected",
        RevocationFetchFailure.TooLarge => "too_large",
        RevocationFetchFailure.Encoded => "encoded",
        RevocationFetchFailure.Malformed => "malformed",
        RevocationFetchFailure.Older => "older",
        RevocationFetchFailure.NotCurrent => "not_current",
        RevocationFetchFailure.NotSigned => "not_signed",
        _ => "faulted",
    };
}
