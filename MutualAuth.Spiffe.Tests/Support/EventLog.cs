using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace MutualAuth.Tests.Support;

/// <summary>Keeps what was logged, and lets a test wait for it.</summary>
internal sealed class EventLog : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<Entry> _entries = new();
    private readonly SemaphoreSlim _written = new(0);

    internal IEnumerable<Entry> Entries => _entries;

    /// <summary>Called with the number of each event, on the thread that logs it.</summary>
    internal Action<int>? Hearing { get; set; }

    /// <summary>Waits for the nth event of this name.</summary>
    internal async Task<Entry> UntilAsync(string name, int nth = 1)
    {
        while (true)
        {
            if (_entries.Where(entry => entry.Name == name).Skip(nth - 1).FirstOrDefault() is { } found)
            {
                return found;
            }

            await _written.WaitAsync(TimeSpan.FromSeconds(20)).ContinueWith(
                waited => waited.Result ? true : throw new TimeoutException($"No {name} ({nth}) was logged, but: {string.Join("; ", _entries)}"),
                TaskScheduler.Default);
        }
    }

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        Hearing?.Invoke(eventId.Id);
        var values = state as IReadOnlyList<KeyValuePair<string, object?>> ?? [];
        _entries.Enqueue(
            new Entry(
                eventId.Id, eventId.Name!, logLevel, values.ToDictionary(value => value.Key, value => value.Value), formatter(state, exception)));
        _written.Release();
    }

    public ILogger CreateLogger(string categoryName) => this;

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public void Dispose() => _written.Dispose();

    internal sealed record Entry(int Id, string Name, LogLevel Level, Dictionary<string, object?> Values, string Text)
    {
        public override string ToString() => $"{Name}: {Text}";
    }
}
