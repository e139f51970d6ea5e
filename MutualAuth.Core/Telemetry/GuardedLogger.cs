using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MutualAuth.Telemetry;

/// <summary>
/// Wraps the application's logger, which may throw (for example when its disk is full). Exceptions are swallowed: only the log event is lost.
/// </summary>
internal sealed class GuardedLogger : ILogger
{
    private readonly ILogger _inner;

    private GuardedLogger(ILogger inner) => _inner = inner;

    /// <summary>The guarded logger of one category. A factory that throws gives none, and the events are lost; null logs nowhere.</summary>
    internal static ILogger Create(ILoggerFactory? factory, string category) =>
        Create(factory, category, static (usable, category) => usable.CreateLogger(category));

    /// <summary>The same for a logger that is made of the factory in another way.</summary>
    internal static ILogger Create<T>(ILoggerFactory? factory, T what, Func<ILoggerFactory, T, ILogger> create)
    {
        try
        {
            return factory is null or NullLoggerFactory ? NullLogger.Instance : new GuardedLogger(create(factory, what));
        }
        catch (Exception)
        {
            return NullLogger.Instance;
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
    {
        try
        {
            return _inner.BeginScope(state);
        }
        catch (Exception)
        {
            return null;
        }
    }

    public bool IsEnabled(LogLevel logLevel)
    {
        try
        {
            return _inner.IsEnabled(logLevel);
        }
        catch (Exception)
        {
            return false;
        }
    }

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        try
        {
            _inner.Log(logLevel, eventId, state, exception, formatter);
        }
        catch (Exception)
        {
            // There is no other place to report it.
        }
    }
}
