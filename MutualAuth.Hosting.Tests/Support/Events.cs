using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace MutualAuth.Tests.Support;

/// <summary>One log event.</summary>
internal sealed record Event(string Category, int Id, LogLevel Level, string Text, Exception? Exception);

/// <summary>Log events as they come, to be waited for.</summary>
internal sealed class Events : ILoggerProvider
{
    private readonly Channel<Event> _events = Channel.CreateUnbounded<Event>();

    public ILogger CreateLogger(string categoryName) => new Category(_events.Writer, categoryName);

    /// <summary>The next event with this number; others are passed over.</summary>
    internal async Task<Event> NextAsync(int id)
    {
        using var deadline = new CancellationTokenSource(HostWorld.Deadline);
        while (true)
        {
            var next = await _events.Reader.ReadAsync(deadline.Token);
            if (next.Id == id)
            {
                return next;
            }
        }
    }

    /// <summary>Waits until there has been an event with each of these numbers, in whatever order; others are passed over.</summary>
    internal async Task AllAsync(params int[] ids)
    {
        using var deadline = new CancellationTokenSource(HostWorld.Deadline);
        var missing = ids.ToHashSet();
        while (missing.Count > 0)
        {
            missing.Remove((await _events.Reader.ReadAsync(deadline.Token)).Id);
        }
    }

    public void Dispose()
    {
    }

    private sealed class Category(ChannelWriter<Event> events, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (name.StartsWith(MutualAuthTelemetry.LogCategory, StringComparison.Ordinal))
            {
                events.TryWrite(new Event(name, eventId.Id, logLevel, formatter(state, exception), exception));
            }
        }
    }
}
