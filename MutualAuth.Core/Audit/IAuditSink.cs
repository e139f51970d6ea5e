namespace MutualAuth.Audit;

/// <summary>Where events for an auditor go: an <see cref="AuditTrail"/>, or a store of the application's.</summary>
/// <remarks>
/// Calls begin in the order of the events, and one at a time; a call may begin before the one before has completed. One sink may serve many servers
/// and clients. No event has a password, a token or a key in it.
/// </remarks>
/// <example>
/// <code>
/// internal sealed class Siem(HttpClient http) : IAuditSink
/// {
///     public async Task RecordAsync(AuditEvent what, CancellationToken cancellationToken) =&gt;
///         (await http.PostAsJsonAsync("events", new { what.What, what.Connection, what.Text }, cancellationToken)).EnsureSuccessStatusCode();
/// }
/// </code>
/// </example>
public interface IAuditSink
{
    /// <summary>Records an event. When it completes, the event is safe.</summary>
    /// <param name="what">The event.</param>
    /// <param name="cancellationToken">Cancelled when <see cref="AuditPolicy.Timeout"/> is over: no one waits any longer.</param>
    /// <returns>A task that fails where the event could not be recorded, with any exception.</returns>
    Task RecordAsync(AuditEvent what, CancellationToken cancellationToken);
}
