namespace MutualAuth.Spiffe;

/// <summary>What was wrong with an update of the Workload API.</summary>
public sealed record UpdateRefusal
{
    /// <summary>Makes a refusal.</summary>
    /// <param name="reason">The stable reason.</param>
    /// <param name="detail">The facts, fit for a log: text from outside is escaped, and no key is in it.</param>
    public UpdateRefusal(UpdateRefusalReason reason, string detail)
    {
        Reason = reason;
        Detail = detail;
    }

    /// <summary>The stable reason.</summary>
    public UpdateRefusalReason Reason { get; init; }

    /// <summary>The facts, fit for a log: text from outside is escaped, and no key is in it.</summary>
    public string Detail { get; init; }

    /// <summary>Both on one line.</summary>
    public override string ToString() => $"{Reason}: {Detail}";
}
