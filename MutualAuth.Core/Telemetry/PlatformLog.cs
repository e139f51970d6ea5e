using Microsoft.Extensions.Logging;

namespace MutualAuth.Telemetry;

/// <summary>Events 1600–1619: what the platform does under us.</summary>
internal static partial class PlatformLog
{
    [LoggerMessage(1600, LogLevel.Information,
        "OpenSSL gives no sessions in this process: the TLS 1.3 connections of a server share one context for each identity.")]
    internal static partial void ContextShared(ILogger logger);

    [LoggerMessage(1601, LogLevel.Debug,
        "OpenSSL gives sessions in this process, or it cannot be told: each connection of a server has a TLS context of its own.")]
    internal static partial void ContextPerConnection(ILogger logger);

    [LoggerMessage(1602, LogLevel.Critical,
        "Keys are written to the file {File} ({Variable}): who reads it reads every connection of this process.")]
    internal static partial void KeysAreLogged(ILogger logger, string file, string variable);

    [LoggerMessage(1603, LogLevel.Critical, "The platform does not meet {Requirements}: {Excess}")]
    internal static partial void RequirementNotMet(ILogger logger, string requirements, string excess);

    [LoggerMessage(1604, LogLevel.Information, "The platform meets {Requirements}: {Platform}.")]
    internal static partial void RequirementMet(ILogger logger, string requirements, string platform);
}
