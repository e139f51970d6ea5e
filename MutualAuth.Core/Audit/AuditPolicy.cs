namespace MutualAuth.Audit;

/// <summary>Where a server or client records its events for an auditor, and what happens when it cannot.</summary>
/// <remarks>
/// Immutable. The kinds of events are in <see cref="AuditKinds"/>. Events of one connection have one <see cref="AuditEvent.Connection"/>, which is
/// <see cref="MutualTlsConnection.Id"/>, and the field <c>ConnectionId</c> of the log events.
/// </remarks>
/// <example>
/// <code>
/// var audited = serverOptions with { Audit = new AuditPolicy { Sink = trail } };
/// </code>
/// </example>
public sealed record AuditPolicy
{
    /// <summary>
    /// Where events go. The caller keeps ownership, and closes it after the servers, clients and connections that use it.
    /// </summary>
    public required IAuditSink Sink { get; init; }

    /// <summary>
    /// What becomes of connections whose authentication cannot be recorded, and of re-authentications and step-ups that cannot. Default:
    /// <see cref="AuditFailureAction.RefuseConnections"/>.
    /// </summary>
    public AuditFailureAction OnFailure { get; init; } = AuditFailureAction.RefuseConnections;

    /// <summary>
    /// How long one event may take; then it counts as not recorded. Default: five seconds; more than zero, at most a minute. A handshake's own
    /// deadline holds as well.
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    internal IEnumerable<string> Problems()
    {
        if (Sink is null)
        {
            yield return $"{nameof(AuditPolicy)}.{nameof(Sink)} is missing: say where events are recorded.";
        }

        if (!Enum.IsDefined(OnFailure))
        {
            yield return $"{nameof(AuditPolicy)}.{nameof(OnFailure)} must be an action; it is {OnFailure}.";
        }

        if (Timeout <= TimeSpan.Zero || Timeout > TimeSpan.FromMinutes(1))
        {
            yield return $"{nameof(AuditPolicy)}.{nameof(Timeout)} must be more than zero and at most a minute; it is {Timeout}.";
        }
    }
}
