using System.Text;

namespace MutualAuth.Names;

/// <summary>Compares a dNSName that a certificate presents with the name that was dialled (RFC 9525 §6.3).</summary>
/// <remarks>
/// The presented text is compared, never parsed: it matches only if it equals the reference name, which is known to be well formed, or
/// equals it after a whole left-most label <c>*</c>. For that reason trailing dots, empty labels, control characters, NUL, addresses and
/// text beyond ASCII match nothing. A wildcard covers exactly one label, an A-label included, where the policy lets it:
/// <c>*.example</c> would claim a whole top-level domain.
/// </remarks>
internal static class DnsNameMatcher
{
    internal static bool Matches(string presented, DnsName reference, WildcardPolicy? wildcards = null) =>
        MatchesExactly(presented, reference) || MatchesByWildcard(presented, reference, wildcards ?? WildcardPolicy.Default);

    internal static bool MatchesByWildcard(string presented, DnsName reference, WildcardPolicy wildcards)
    {
        var expected = reference.ToString();
        return presented.AsSpan() is ['*', '.', .. var parent]
            && expected.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot
            && Ascii.EqualsIgnoreCase(parent, expected.AsSpan(dot + 1))
            && wildcards.Allows(expected[(dot + 1)..]);
    }

    /// <summary>Compares without wildcards: for peers without a dialled name, that is clients.</summary>
    internal static bool MatchesExactly(string presented, DnsName reference) => Ascii.EqualsIgnoreCase(presented, reference.ToString());
}
