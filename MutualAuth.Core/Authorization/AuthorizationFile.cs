using MutualAuth.Reloading;

namespace MutualAuth.Authorization;

/// <summary>
/// An authorization rule that is read from a file and follows it: one rule in a line; a peer that one of them accepts is accepted. Used with
/// <see cref="Authorize.From"/>.
/// </summary>
/// <remarks>
/// A line is <c>dns NAME</c>, <c>uri URI</c>, <c>spiffe ID</c>, <c>spiffe TRUST-DOMAIN</c>, <c>email ADDRESS</c>, <c>upn NAME</c>,
/// <c>other TYPE TEXT</c>, <c>ip ADDRESS</c>, <c>service _SERVICE.DOMAIN</c>, <c>organization IDENTIFIER</c>,
/// <c>psd2-role ROLE</c>, <c>qualified TYPE</c> (<c>web</c>, <c>eseal</c> or <c>esign</c>; <c>qscd</c> behind it demands a qualified device),
/// <c>policy OID</c>, <c>subject DN</c>, <c>issuer DN</c> (RFC 4514), <c>any-trusted</c> or <c>nobody</c>, with the meaning of the rules of that
/// name in <see cref="Authorize"/>. With <c>&amp;&amp;</c> between them, and a space on each side, a peer must meet all of a line, at most 16. Lines
/// that begin with # are comments. A file without rules is rejected, so that a file emptied by mistake leaves the previous rule in force;
/// <c>nobody</c>, alone, rejects every peer.
/// </remarks>
public sealed class AuthorizationFile : WatchedFiles<AuthorizationRule>, IAuthorizationSource
{
    private const int MaxFileBytes = 16 * 1024 * 1024;

    /// <summary>Follows a file of rules.</summary>
    /// <param name="path">A file in UTF-8; at most 16 MiB.</param>
    /// <param name="options">How the file is followed.</param>
    /// <exception cref="ArgumentException"><paramref name="options"/> contradict themselves.</exception>
    /// <exception cref="MaterialException">The file cannot be read, contains no rule, or a line is not a rule.</exception>
    public AuthorizationFile(string path, WatchOptions? options = null)
        : base(
            "authorization rules",
            FileUse.Authorization,
            [path],
            MaxFileBytes,
            files => Read(files[0].Text, files[0].Path),
            rule => rule.ToString(),
            options)
    {
    }

    private static AuthorizationRule Read(string text, string source)
    {
        var rules = new List<AuthorizationRule>();
        TextLines.Read(text, source, line => rules.Add(RuleLines.Read(line)));
        return RuleLines.Combine(rules, out var problem) ?? throw new MaterialException($"{source}: {problem}");
    }
}
