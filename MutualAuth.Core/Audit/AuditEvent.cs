namespace MutualAuth.Audit;

/// <summary>What happened, for an audit trail. Immutable.</summary>
/// <example><code>await trail.RecordAsync(new AuditEvent("act", "cabinet 7 was opened"));</code></example>
public sealed record AuditEvent
{
    /// <summary>Creates an event.</summary>
    /// <param name="what">The kind of event: a short word of the application's, such as <c>accepted</c>.</param>
    /// <param name="text">The details, in any characters: they are escaped in the file.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public AuditEvent(string what, string text)
    {
        ArgumentNullException.ThrowIfNull(what);
        ArgumentNullException.ThrowIfNull(text);
        What = what;
        Text = text;
    }

    /// <summary>The kind of event.</summary>
    public string What { get; }

    /// <summary>The details.</summary>
    public string Text { get; }

    /// <summary>The connection that the event belongs to, in the application's own numbering; null for none. Default: null.</summary>
    public string? Connection { get; init; }
}
