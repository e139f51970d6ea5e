using System.Net;
using Microsoft.Extensions.Logging;
using MutualAuth.Telemetry;

namespace MutualAuth.Hosting.Running;

/// <summary>Events 2000–2019: listeners and clients of a host, their handlers and their configuration.</summary>
internal static partial class HostingLog
{
    internal const string Category = MutualAuthTelemetry.LogCategory + ".Hosting";

    /// <summary>A logger that never throws: a sink that is broken must keep no host from starting, serving or stopping.</summary>
    internal static ILogger Create(ILoggerFactory factory) => GuardedLogger.Create(factory, Category);

    [LoggerMessage(2000, LogLevel.Information, "The listener {Name} listens on {EndPoint}.")]
    internal static partial void Listening(ILogger logger, string name, EndPoint endPoint);

    [LoggerMessage(2001, LogLevel.Information, "The listener {Name} is being stopped; {Connections} connections are asked to end.")]
    internal static partial void Stopping(ILogger logger, string name, int connections);

    [LoggerMessage(2002, LogLevel.Information, "The listener {Name} has stopped.")]
    internal static partial void Stopped(ILogger logger, string name);

    [LoggerMessage(2003, LogLevel.Warning, "The listener {Name} has stopped at the end of the host's patience; {Handlers} handlers had not ended.")]
    internal static partial void StoppedWithHandlers(ILogger logger, string name, int handlers);

    [LoggerMessage(2004, LogLevel.Error, "The handler of {Name} failed on a connection of {Peer}, which was aborted.")]
    internal static partial void HandlerFaulted(ILogger logger, string name, string peer, Exception exception);

    [LoggerMessage(2005, LogLevel.Debug, "A connection of {Peer} to {Name} ended while its handler read or wrote: {Detail}")]
    internal static partial void ConnectionBroke(ILogger logger, string name, string peer, string detail);

    [LoggerMessage(2006, LogLevel.Critical, "The listener {Name} accepts no more connections on {EndPoint}.")]
    internal static partial void ListenerFailed(ILogger logger, string name, EndPoint endPoint, Exception? exception);

    [LoggerMessage(2007, LogLevel.Information, "The new configuration of {Name} is in force: {Keys}.")]
    internal static partial void ConfigurationTaken(ILogger logger, string name, string keys);

    [LoggerMessage(2008, LogLevel.Warning, "The configuration of {Name} has changed where it counts only after a restart: {Keys}.")]
    internal static partial void NeedsRestart(ILogger logger, string name, string keys);

    [LoggerMessage(2009, LogLevel.Error, "The new configuration of {Name} was refused, and the last good one stays in force: {Problems}")]
    internal static partial void ConfigurationRefused(ILogger logger, string name, string problems);

    [LoggerMessage(2010, LogLevel.Warning, "Peers that trust what {Name} trusts would reject its certificate: {Problem}")]
    internal static partial void IdentityDoubtful(ILogger logger, string name, string problem);

    [LoggerMessage(2011, LogLevel.Warning,
        "The first key of the audit trail {File} is on this machine, in {KeyFile}, and could make the whole trail again: take it away.")]
    internal static partial void AuditKeyIsHere(ILogger logger, string file, string keyFile);

    [LoggerMessage(2012, LogLevel.Error, "A handler of Replaced failed as a new configuration of {Name} was taken; the configuration is in force.")]
    internal static partial void ReplacedHandlerFaulted(ILogger logger, string name, Exception exception);
}
