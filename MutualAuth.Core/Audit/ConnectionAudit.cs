using System.Collections.Immutable;
using MutualAuth.Telemetry;

namespace MutualAuth.Audit;

/// <summary>The events of one connection, from the first octet to the last, under one id.</summary>
internal sealed class ConnectionAudit(Auditor auditor, ConnectionId id)
{
    private readonly string _id = id.ToString();

    internal Auditor Auditor => auditor;

    internal Task Tell(string kind, string text, ImmutableArray<KeyValuePair<string, string>> details, bool isOfStranger = false) =>
        auditor.Tell(ToEvent(kind, text, details), isOfStranger);

    internal ValueTask<Rejection?> RequireAsync(
        string kind, string text, ImmutableArray<KeyValuePair<string, string>> details, CancellationToken cancellationToken) =>
        auditor.RequireAsync(ToEvent(kind, text, details), cancellationToken);

    private AuditEvent ToEvent(string kind, string text, ImmutableArray<KeyValuePair<string, string>> details) =>
        new(kind, text) { Connection = _id, Details = details };
}
