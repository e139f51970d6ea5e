using Microsoft.Extensions.Logging;
using MutualAuth.Telemetry;

namespace MutualAuth.Directories;

/// <summary>Events 1340–1349: directories. No password, and no name of a user, is in any of them.</summary>
internal static partial class DirectoryLog
{
    internal const string Category = MutualAuthTelemetry.LogCategory + ".Login";

    /// <summary>A logger that never throws: a sink that is broken must not change a verdict.</summary>
    internal static ILogger Create(ILoggerFactory factory) => GuardedLogger.Create(factory, Category);

    [LoggerMessage(1340, LogLevel.Warning, "The directory server {Server} failed: {Detail} It is asked last for {RetryAfter}.")]
    internal static partial void ServerFailed(ILogger logger, LdapServer server, string detail, TimeSpan retryAfter);

    [LoggerMessage(1341, LogLevel.Information, "The directory server {Server} answers again.")]
    internal static partial void ServerAnswers(ILogger logger, LdapServer server);

    [LoggerMessage(1342, LogLevel.Error, "No directory server gave a verdict; no user that it must check can log in.")]
    internal static partial void NoServer(ILogger logger);

    [LoggerMessage(1343, LogLevel.Warning, "{Count} entries of the directory have the name of one user; that user cannot log in.")]
    internal static partial void SeveralEntries(ILogger logger, int count);
}
