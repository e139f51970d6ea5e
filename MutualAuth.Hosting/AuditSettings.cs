using MutualAuth.Audit;

namespace MutualAuth.Hosting;

/// <summary>The file of the audit trail in which every connection is recorded (<see cref="AuditTrail"/>).</summary>
/// <remarks>
/// Listeners and clients that name the same file share one trail, which the container closes. Relative paths begin at the content root of the host.
/// Set it before the host starts; it is not safe for use from many threads.
/// </remarks>
public sealed class AuditSettings
{
    /// <summary>The file of the trail. Default: null, nothing is recorded.</summary>
    public string? File { get; set; }

    /// <summary>
    /// The file of the auditor's first key (<see cref="AuditTrail.ReadKey"/>), which is read only where there is no trail yet, to begin it. Take it
    /// away from the machine afterwards; event 2011 warns while it is there. Default: null, the trail was begun before.
    /// </summary>
    public string? KeyFile { get; set; }

    /// <summary>
    /// What becomes of connections that cannot be recorded. Default: <see cref="AuditFailureAction.RefuseConnections"/>.
    /// </summary>
    public AuditFailureAction OnFailure { get; set; } = AuditFailureAction.RefuseConnections;

    internal bool IsSet => File is not null || KeyFile is not null || OnFailure != AuditFailureAction.RefuseConnections;

    internal AuditPolicy? ToPolicy(AuditTrail? trail) => trail is null ? null : new AuditPolicy { Sink = trail, OnFailure = OnFailure };
}
