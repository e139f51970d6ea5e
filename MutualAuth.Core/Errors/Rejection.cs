using System.Text;

namespace MutualAuth;

/// <summary>One reason, with the facts that a person needs in order to act on it.</summary>
/// <remarks>
/// Immutable and safe to share. It is for the side that decided: nothing of it but a <see cref="PublicReason"/> is told to the peer.
/// </remarks>
public sealed record Rejection
{
    /// <summary>Makes a rejection.</summary>
    /// <param name="reason">The stable reason.</param>
    /// <param name="expected">What would have been accepted.</param>
    /// <param name="presented">What came instead; text of the peer's in it is escaped and cut, and no secret is ever in it.</param>
    public Rejection(RejectionReason reason, string expected, string presented)
    {
        Reason = reason;
        Expected = expected;
        Presented = presented;
    }

    /// <summary>The stable reason.</summary>
    public RejectionReason Reason { get; init; }

    /// <summary>What would have been accepted.</summary>
    public string Expected { get; init; }

    /// <summary>What came instead; text of the peer's in it is escaped and cut, and no secret is ever in it.</summary>
    public string Presented { get; init; }

    /// <summary>What was judged, such as <c>leaf certificate</c> or <c>intermediate CN=…</c>; null when the peer as a whole was.</summary>
    public string? Element { get; init; }

    /// <summary>The rule that was applied, such as <c>RFC 5280 §4.2.1.12</c>; null when no published rule applies.</summary>
    public string? Rule { get; init; }

    /// <summary>The remedy, in one sentence; null when the facts are sufficient.</summary>
    public string? Hint { get; init; }

    /// <summary>The validation itself failed: one of our sources threw, and the peer is not at fault.</summary>
    internal bool IsOurFault { get; init; }

    /// <summary>SHA-256 of the certificate whose encoding is rejected, as upper-case hex; null for every other reason.</summary>
    internal string? Digest { get; init; }

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
