namespace MutualAuth.Audit;

/// <summary>What becomes of connections whose authentication cannot be recorded.</summary>
public enum AuditFailureAction
{
    /// <summary>They are refused, with <see cref="RejectionReason.AuditNotRecorded"/>.</summary>
    RefuseConnections = 1,

    /// <summary>
    /// They are accepted, and no one can say later who was connected. Event 1651 tells of it, and the next event that can be recorded.
    /// </summary>
    DangerouslyContinueWithoutAudit = 2,
}
