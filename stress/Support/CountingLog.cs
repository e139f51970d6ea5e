using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace MutualAuth.Stress.Support;

/// <summary>Counts events by number, and may throw at each.</summary>
internal sealed class CountingLog : ILoggerFactory, ILogger
{
    private readonly ConcurrentDictionary<int, int> _events = new();
    private string? _lastFault;

    /// <summary>Asked before an event is taken; true has the logger throw, as one whose disk is full does. Default: never.</summary>
    internal Func<int, bool> Throws { get; init; } = _ => false;

    /// <summary>The last exception that the library reported as a fault of its own.</summary>
    internal string? LastFault => _lastFault;

    internal int Of(int eventId) => _events.GetValueOrDefault(eventId);

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public void Dispose()
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        _events.AddOrUpdate(eventId.Id, 1, (_, count) => count + 1);
        if (exception is not null && logLevel >= LogLevel.Error)
        {
            _lastFault = $"{eventId.Id}: {exception.GetType().Name} {exception.Message}";
        }

        if (Throws(eventId.Id))
        {
            throw new AggregateException("An error occurred while writing to logger(s).", new IOException("No space left on device"));
        }
    }
}
