using System.Collections.Immutable;
using MutualAuth.Collections;

namespace MutualAuth.Audit;

/// <summary>What happened, for an audit trail. Immutable.</summary>
/// <example><code>await trail.RecordAsync(new AuditEvent("act", "cabinet 7 was opened"));</code></example>
public sealed record AuditEvent
{
    private EquatableArray<KeyValuePair<string, string>> _details = new([]);

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

    /// <summary>The connection that the event belongs to, such as <see cref="MutualTlsConnection.Id"/>; null for none. Default: null.</summary>
    public string? Connection { get; init; }

    /// <summary>
    /// Facts for a machine, as names and values, beside the text. In an <see cref="AuditTrail"/> the first 20 are kept, with names up to 32 and
    /// values up to 512 characters. Default: none.
    /// </summary>
    /// <exception cref="ArgumentException">A name or a value is null, or a name comes twice.</exception>
    /// <example><code>var act = new AuditEvent("act", "cabinet 7 was opened") { Details = [new("cabinet", "7")] };</code></example>
    public ImmutableArray<KeyValuePair<string, string>> Details
    {
        get => _details.Items;
        init => _details = new(Checked(value));
    }

    private static ImmutableArray<KeyValuePair<string, string>> Checked(ImmutableArray<KeyValuePair<string, string>> details) =>
        details.IsDefault ? []
        : details.Any(detail => detail.Key is null || detail.Value is null)
            || details.DistinctBy(detail => detail.Key, StringComparer.Ordinal).Count() < details.Length
                ? throw new ArgumentException("Details have names and values, and each name once.", nameof(details))
                : details;
}
