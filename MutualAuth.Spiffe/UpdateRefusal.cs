namespace MutualAuth.Spiffe;

/// <summary>What was wrong with an update of the Workload API.</summary>
/// <param name="Reason">The stable reason.</param>
/// <param name="Detail">The facts, suitable for a log: text from outside is escaped, and no key is in it.</param>
public sealed record UpdateRefusal(UpdateRefusalReason Reason, string Detail)
{
    /// <summary>Both on one line.</summary>
    public override string ToString() => $"{Reason}: {Detail}";
}
