using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MutualAuth.Tests.Support;

/// <summary>Where a <see cref="ThrowingLoggers"/> throws.</summary>
public enum LoggersThrow
{
    /// <summary>Where an event is logged.</summary>
    AtLog = 1,

    /// <summary>Where it is asked whether a level is enabled, and where an event is logged.</summary>
    AtLevels,

    /// <summary>Where a logger is created.</summary>
    AtCreation,
}

/// <summary>Loggers of an application whose sink is broken, for what the library logs.</summary>
internal sealed class ThrowingLoggers(LoggersThrow at = LoggersThrow.AtLog) : ILoggerFactory, ILoggerProvider, ILogger
{
    public ILogger CreateLogger(string categoryName)
    {
        if (!categoryName.StartsWith(MutualAuthTelemetry.LogCategory, StringComparison.Ordinal))
        {
            return NullLogger.Instance;
        }

        return at == LoggersThrow.AtCreation ? throw Broken() : this;
    }

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => at == LoggersThrow.AtLevels ? throw Broken() : true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        throw Broken();

    public void Dispose()
    {
    }

    private static InvalidOperationException Broken() => new("The sink is broken.");
}
