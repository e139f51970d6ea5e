using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace MutualAuth.Tests.Support;

/// <summary>Everything that is logged, at every level, as text.</summary>
internal sealed class TextLog : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<(int Id, string Text)> _lines = new();

    internal string All => string.Join('\n', _lines.Select(line => line.Text));

    internal int[] Events => [.. _lines.Select(line => line.Id)];

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue((eventId.Id, formatter(state, exception) + exception));

    public void Dispose()
    {
    }
}
