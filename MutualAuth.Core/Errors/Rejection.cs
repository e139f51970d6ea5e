using System.Text;

namespace MutualAuth;

/// <summary>One reason, with the facts that an operator needs in order to act on it.</summary>
/// <param name="Reason">The stable reason.</param>
/// <param name="Expected">What would have been accepted.</param>
/// <param name="Presented">What was presented instead. Text from the peer is escaped and truncated; it never contains a secret.</param>
/// <remarks>Immutable and safe to share. It is for the side that decided: only a <see cref="PublicReason"/> is sent to the peer.</remarks>
public sealed record Rejection(RejectionReason Reason, string Expected, string Presented)
{
    /// <summary>
    /// The subject of the decision, such as <c>leaf certificate</c> or <c>intermediate CN=…</c>; null: the peer as a whole.
    /// </summary>
    public string? Element { get; init; }

    /// <summary>The rule that was applied, such as <c>RFC 5280 §4.2.1.12</c>; null when no published rule applies.</summary>
    public string? Rule { get; init; }

    /// <summary>The remedy, in one sentence; null when the facts are sufficient.</summary>
    public string? Hint { get; init; }

    /// <summary>The validation itself failed: one of our sources threw, and the peer is not at fault.</summary>
    internal bool IsOurFault { get; init; }

    /// <summary>All facts on one line, suitable for a log.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(Reason.ToCode());
        if (Element is not null)
        {
            text.Append(" (").Append(Element).Append(')');
        }

        text.Append(": expected ").Append(Expected).Append(", got ").Append(Presented);
        if (Rule is not null)
        {
            text.Append(" [").Append(Rule).Append(']');
        }

        text.Append('.');
        if (Hint is not null)
        {
            text.Append(' ').Append(Hint);
        }

        return text.ToString();
    }
}
