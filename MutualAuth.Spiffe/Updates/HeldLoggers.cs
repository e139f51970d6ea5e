using Microsoft.Extensions.Logging;
using MutualAuth.Telemetry;

namespace MutualAuth.Spiffe.Updates;

/// <summary>
/// Loggers for a part of what an update changes, whose events can be held until all of it is in force: who acts on one finds the whole. Safe for
/// concurrent use.
/// </summary>
internal sealed class HeldLoggers(ILoggerFactory inner) : ILoggerFactory
{
    private readonly Lock _state = new();
    private List<Action>? _held;

    /// <summary>Keeps back what is logged from now on.</summary>
    internal void Hold()
    {
        lock (_state)
        {
            _held ??= [];
        }
    }

    /// <summary>Logs what was kept back, in its order, and all else at once from now on. Never throws.</summary>
    internal void LetGo()
    {
        List<Action> held;
        lock (_state)
        {
            (held, _held) = (_held ?? [], null);
        }

        held.ForEach(log => log());
    }

    public ILogger CreateLogger(string categoryName) => new HeldLogger(this, GuardedLogger.Create(inner, categoryName));

    public void AddProvider(ILoggerProvider provider) => inner.AddProvider(provider);

    /// <summary>The loggers are the application's.</summary>
    public void Dispose()
    {
    }

    private bool TryHold(Action log)
    {
        lock (_state)
        {
            _held?.Add(log);
            return _held is not null;
        }
    }

    private sealed class HeldLogger(HeldLoggers loggers, ILogger inner) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => inner.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!loggers.TryHold(() => inner.Log(logLevel, eventId, state, exception, formatter)))
            {
                inner.Log(logLevel, eventId, state, exception, formatter);
            }
        }
    }
}
