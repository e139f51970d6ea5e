namespace MutualAuth.Audit;

/// <summary>What the verification of an audit trail has found. Immutable.</summary>
/// <example><code>Console.WriteLine(AuditTrail.Verify("audit.log", key).Text);</code></example>
public sealed record AuditVerification
{
    internal AuditVerification(AuditProblem? problem, long entries, bool isSealed, long unconfirmed, string text) =>
        (Problem, Entries, IsSealed, Unconfirmed, Text) = (problem, entries, isSealed, unconfirmed, text);

    /// <summary>Whether nothing is wrong.</summary>
    public bool IsIntact => Problem is null;

    /// <summary>What is wrong; null where nothing is.</summary>
    public AuditProblem? Problem { get; }

    /// <summary>How many entries from the first on are intact. Keep it: the next verification can demand at least as many.</summary>
    public long Entries { get; }

    /// <summary>Whether the last entry is a seal, after which there can be none.</summary>
    public bool IsSealed { get; }

    /// <summary>
    /// How many intact entries the state does not know of. After a crash, and while the trail is written, these are the last ones.
    /// </summary>
    public long Unconfirmed { get; }

    /// <summary>What was found, for a person.</summary>
    public string Text { get; }
}
