using Microsoft.Extensions.Logging;

namespace MutualAuth.Samples;

/// <summary>
/// Prints what the library has to say about our own certificate, and what is critical. A real program gives a logger factory of its own, and hears
/// all.
/// </summary>
internal sealed class LibraryNotes : ILoggerFactory, ILogger
{
    // docs/reference/telemetry.md: OwnIdentityDoubtful.
    private const int OwnIdentityDoubtful = 1113;

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel is LogLevel.Warning or LogLevel.Critical;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (eventId.Id == OwnIdentityDoubtful || logLevel == LogLevel.Critical)
        {
            CommandLine.Note(formatter(state, exception));
        }
    }

    public void Dispose()
    {
    }
}
