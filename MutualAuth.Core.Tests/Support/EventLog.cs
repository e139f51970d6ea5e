using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using MutualAuth.Telemetry;

namespace MutualAuth.Tests.Support;

/// <summary>Log events as they come, to be waited for. Each must come under the category of its area.</summary>
internal sealed class EventLog : ILoggerFactory
{
    private readonly Channel<LogEvent> _events = Channel.CreateUnbounded<LogEvent>();

    /// <summary>An event at which the log fails; null for none.</summary>
    internal int? FailsAt { get; set; }

    /// <summary>Called with the number of each event, on the thread that logs it, before it can be waited for.</summary>
    internal Action<int>? Hearing { get; set; }

    /// <summary>The next event with this number; others are passed over.</summary>
    internal async Task<LogEvent> NextAsync(int id)
    {
        using var deadline = new CancellationTokenSource(ConnectedPair.Deadline);
        while (true)
        {
            var next = await _events.Reader.ReadAsync(deadline.Token);
            next.Category.Should().Be(MutualAuthTelemetry.CategoryOf(AreaLogger.AreaOf(next.Id)));
            if (next.Id == id)
            {
                return next;
            }
        }
    }

    /// <summary>All events that have come and were not waited for.</summary>
    internal IReadOnlyList<LogEvent> Drain()
    {
        var events = new List<LogEvent>();
        while (_events.Reader.TryRead(out var next))
        {
            events.Add(next);
        }

        return events;
    }

    public ILogger CreateLogger(string categoryName) => new Category(this, categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }

    private sealed class Category(EventLog log, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            log.Hearing?.Invoke(eventId.Id);
            var values = ((IReadOnlyList<KeyValuePair<string, object?>>)state!).ToDictionary();
            log._events.Writer.TryWrite(new LogEvent(eventId.Id, values, exception)
            { Category = name, Level = logLevel, Message = formatter(state, exception) });
            if (eventId.Id == log.FailsAt)
            {
                throw new IOException("The disk of the log is full.");
            }
        }
    }
}

internal sealed record LogEvent(int Id, Dictionary<string, object?> Values, Exception? Exception)
{
    internal string Category { get; init; } = string.Empty;

    internal LogLevel Level { get; init; }

    internal string Message { get; init; } = string.Empty;
}
