using Microsoft.Extensions.Logging;
using MutualAuth.Telemetry;

namespace MutualAuth.Tokens;

/// <summary>Events 1330–1339: keys, tokens and answers of an issuer.</summary>
internal static partial class TokenLog
{
    internal const string Category = MutualAuthTelemetry.LogCategory + ".Tokens";

    /// <summary>A logger that never throws: a sink that is broken must not end what follows an issuer.</summary>
    internal static ILogger Create(ILoggerFactory factory) => GuardedLogger.Create(factory, Category);

    [LoggerMessage(1330, LogLevel.Information, "The key set of {Source} is in force: {Keys}.")]
    internal static partial void KeysTaken(ILogger logger, string source, string keys);

    [LoggerMessage(1331, LogLevel.Warning, "The key set of {Source} could not be renewed: {Detail} The last good one stays in force for {Left}.")]
    internal static partial void KeysNotTaken(ILogger logger, string source, string detail, TimeSpan left);

    [LoggerMessage(1332, LogLevel.Error, "The key set of {Source} could not be renewed for {Age}; no token is accepted until it can.")]
    internal static partial void KeysTooOld(ILogger logger, string source, TimeSpan age);

    [LoggerMessage(1333, LogLevel.Debug, "A new token of {Source} is in use until {End:u}.")]
    internal static partial void TokenTaken(ILogger logger, string source, DateTimeOffset end);

    [LoggerMessage(1334, LogLevel.Warning, "No token could be had from {Source}: {Detail} The next attempt is in {Delay} at the earliest.")]
    internal static partial void TokenNotTaken(ILogger logger, string source, string detail, TimeSpan delay);

    [LoggerMessage(1335, LogLevel.Warning, "{Endpoint} could not be asked about a token: {Detail}")]
    internal static partial void IntrospectionFailed(ILogger logger, Uri endpoint, string detail);
}
