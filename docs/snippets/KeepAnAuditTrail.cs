using MutualAuth.Audit;

namespace MutualAuth.Snippets;

/// <summary>docs/how-to/keep-an-audit-trail.md</summary>
internal static class KeepAnAuditTrail
{
    internal static async Task RecordAsync(MutualTlsServerOptions serverOptions, byte[] key, MutualTlsConnection connection)
    {
        // snippet
        AuditTrail.Begin("audit.log", key);                 // once; the auditor keeps the key, elsewhere
        await using var trail = AuditTrail.Open("audit.log");
        var audited = serverOptions with { Audit = new AuditPolicy { Sink = trail } };
        // end
        _ = new MutualTlsServer(audited);

        // snippet
        await trail.RecordAsync(new AuditEvent("act", "cabinet 7 was opened")
        {
            Connection = connection.Id,
            Details = [new("cabinet", "7")],
        });
        // end
    }

    // snippet
    internal sealed class EventStore(Func<string, CancellationToken, Task> appendAsync) : IAuditSink
    {
        public Task RecordAsync(AuditEvent what, CancellationToken cancellationToken) =>
            appendAsync($"{what.What} {what.Connection} {what.Text}", cancellationToken);
    }
    // end
}
