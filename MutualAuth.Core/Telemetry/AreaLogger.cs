using Microsoft.Extensions.Logging;

namespace MutualAuth.Telemetry;

/// <summary>
/// Logs each event under the category of its area. For what logs events of several areas; where there is only one, its own logger is cheaper.
/// </summary>
internal sealed class AreaLogger : ILogger
{
    private static readonly LogArea[] s_areas = Enum.GetValues<LogArea>();

    private readonly ILogger[] _loggers;

    internal AreaLogger(ILoggerFactory factory) =>
        _loggers = Array.ConvertAll(s_areas, area => factory.CreateLogger(MutualAuthTelemetry.CategoryOf(area)));

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null; // the library opens none

    /// <summary>Whether any of them is: the logger of an event's own area decides once more.</summary>
    public bool IsEnabled(LogLevel logLevel) => Array.Exists(_loggers, logger => logger.IsEnabled(logLevel));

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var logger = _loggers[Array.IndexOf(s_areas, AreaOf(eventId.Id))];
        if (logger.IsEnabled(logLevel))
        {
            logger.Log(logLevel, eventId, state, exception, formatter);
        }
    }

    /// <summary>The area of an event. An application's number is none of ours.</summary>
    internal static LogArea AreaOf(int eventId) => eventId switch
    {
        < 1100 or (>= 1600 and < 1620) => LogArea.Handshake,
        >= 1650 and < 1660 => LogArea.Audit,
        < 1200 => LogArea.Validation,
        < 1300 => LogArea.Listener,
        < 1400 => LogArea.Login,
        < 1450 or (>= 1640 and < 1650) => LogArea.Reload,
        _ => LogArea.Connection,
    };
}
