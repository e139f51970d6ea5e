namespace MutualAuth.Names;

/// <summary>What a wildcard in a server's certificate counts for (RFC 9525 §6.3).</summary>
/// <remarks>
/// A wildcard is a whole left-most label <c>*</c> and stands for exactly one label, whatever the policy. Directly above a public suffix, as in
/// <c>*.com</c> or <c>*.co.uk</c>, it matches nothing. Immutable and safe to share.
/// </remarks>
/// <example>
/// <code>
/// var rule = Authorize.ServerNameBy(WildcardPolicy.Refused);
/// </code>
/// </example>
public sealed class WildcardPolicy
{
    private readonly PublicSuffixList? _suffixes;

    private WildcardPolicy(PublicSuffixList? suffixes) => _suffixes = suffixes;

    /// <summary>A wildcard counts, but not directly above a suffix of <see cref="PublicSuffixList.BuiltIn"/>.</summary>
    public static WildcardPolicy Default { get; } = new(PublicSuffixList.BuiltIn);

    /// <summary>No wildcard counts: a server must carry the dialled name itself.</summary>
    public static WildcardPolicy Refused { get; } = new(null);

    /// <summary>A wildcard counts, but not directly above a suffix of a list; a top-level domain always is one.</summary>
    /// <param name="suffixes">The list, in place of the built-in one.</param>
    /// <exception cref="ArgumentNullException"><paramref name="suffixes"/> is null.</exception>
    public static WildcardPolicy Above(PublicSuffixList suffixes)
    {
        ArgumentNullException.ThrowIfNull(suffixes);
        return new(suffixes);
    }

    /// <summary>Whether wildcards count at all.</summary>
    internal bool AreAccepted => _suffixes is not null;

    /// <summary>Whether a wildcard that stands for one label above this domain counts.</summary>
    internal bool Allows(string domain) => _suffixes is { } suffixes && !suffixes.Contains(domain);
}
