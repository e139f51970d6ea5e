using Microsoft.Extensions.Logging;
using MutualAuth.Audit;
using MutualAuth.Validation;

namespace MutualAuth.Samples;

/// <summary>
/// Everything that happens at the gate, in an audit trail: an auditor who has the first key detects entries that were changed, removed, moved or
/// cut off. As a validator it records each peer before the gate admits it, and objects when it cannot: a peer that is not recorded is not admitted.
/// </summary>
internal sealed class AuditLog : IAsyncPeerValidator, ILoggerFactory, ILogger, IAsyncDisposable
{
    private readonly AuditTrail _trail;
    private volatile bool _lostAnEvent;

    private AuditLog(AuditTrail trail) => _trail = trail;

    /// <summary>Opens the trail, which was begun with a key of the auditor's.</summary>
    internal static AuditLog Open(string path) => new(AuditTrail.Open(path));

    public async ValueTask<Rejection?> ExamineAsync(AuthenticatedPeer peer, CancellationToken cancellationToken) =>
        await TryRecordAsync("admitting", $"{peer.Name}, serial {peer.Certificate?.SerialNumber}", cancellationToken)
            ? null
            : new Rejection(RejectionReason.ValidatorFaulted, "an entry in the audit trail", "a trail that cannot be written to");

    /// <summary>Records an act, before it is carried out; false when that is not possible, or an earlier event is missing.</summary>
    internal async Task<bool> TryRecordAsync(string what, string text, CancellationToken cancellationToken = default)
    {
        try
        {
            await _trail.RecordAsync(new AuditEvent(what, text), cancellationToken);
            return !_lostAnEvent;
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            _lostAnEvent = true;
            return false;
        }
    }

    /// <summary>Each event of the library, in order; one that cannot be recorded has the gate admit no peer from then on.</summary>
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _ = TryRecordAsync($"{eventId.Id} {eventId.Name}", formatter(state, exception));

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("This log has one place to write to.");

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    public ValueTask DisposeAsync() => _trail.DisposeAsync();
}
