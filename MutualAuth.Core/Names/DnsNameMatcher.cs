using System.Text;

namespace MutualAuth.Names;

/// <summary>Compares a dNSName that a certificate presents with the name that was dialled (RFC 9525 §6.3).</summary>
/// <remarks>
/// The presented text is compared, never parsed: it matches only if it spells the reference name, which is known to be well formed, or does so after a
/// whole left-most label <c>*</c>. Trailing dots, empty labels, control characters, NUL, addresses and text beyond ASCII match nothing for that reason.
/// A wildcard stands for exactly one label, an A-label included, and needs two labels behind it: <c>*.example</c> would claim a whole top-level domain.
/// </remarks>
internal static class DnsNameMatcher
{
    internal static bool Matches(string presented, DnsName reference)
    {
        var expected = reference.ToString().AsSpan();
        if (presented.AsSpan() is not ['*', '.', .. var parent])
        {
            return Ascii.EqualsIgnoreCase(presented, expected);
        }

        return parent.Contains('.')
            && expected.IndexOf('.') is > 0 and var dot
            && Ascii.EqualsIgnoreCase(parent, expected[(dot + 1)..]);
    }

    /// <summary>Compares without giving a wildcard any meaning: what a peer without a dialled name, a client, is held to.</summary>
    internal static bool MatchesExactly(string presented, DnsName reference) => Ascii.EqualsIgnoreCase(presented, reference.ToString());
}
