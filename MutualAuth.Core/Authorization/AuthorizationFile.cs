using MutualAuth.Errors;
using MutualAuth.Names;
using MutualAuth.Reloading;

namespace MutualAuth.Authorization;

/// <summary>
/// An authorization rule that is read from a file and follows it: one name in a line; a peer with one of them is accepted. Used with
/// <see cref="Authorize.From"/>.
/// </summary>
/// <remarks>
/// A line is <c>dns NAME</c>, <c>uri URI</c>, <c>spiffe ID</c>, <c>spiffe TRUST-DOMAIN</c>, <c>email ADDRESS</c>, <c>upn NAME</c>, <c>ip ADDRESS</c>,
/// <c>subject DN</c>, <c>issuer DN</c> (RFC 4514), <c>any-trusted</c> or <c>nobody</c>, with the meaning of the rules of that name in
/// <see cref="Authorize"/>; lines that begin with # are comments. A file without rules is rejected, so that a file emptied by mistake leaves the
/// previous rule in force; <c>nobody</c>, alone, rejects every peer.
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
        TextLines.Read(text, source, line => rules.Add(ReadLine(line)));
        if (rules.Count == 0)
        {
            throw new MaterialException($"{source}: no line is a rule. Write at least one; the line \"nobody\" rejects every peer.");
        }

        return rules.Count == 1 || !rules.Contains(Authorize.Nobody)
            ? Authorize.AnyOf(rules)
            : throw new MaterialException($"{source}: the line \"nobody\" stands beside other rules. Remove it, or all the others.");
    }

    private static AuthorizationRule ReadLine(string line) => line.Split(' ', 2, StringSplitOptions.TrimEntries) switch
    {
        ["dns", var name] => Authorize.Dns(name),
        ["uri", var uri] => Authorize.Uri(uri),
        ["spiffe", var text] => SpiffeId.TryParse(text, out var id) ? Authorize.SpiffeId(id) : Authorize.MemberOf(text),
        ["email", var address] => Authorize.Email(address),
        ["upn", var name] => Authorize.UserPrincipalName(name),
        ["ip", var address] => Authorize.IPAddress(address),
        ["subject", var name] => Authorize.Subject(name),
        ["issuer", var name] => Authorize.Issuer(name),
        ["any-trusted"] => Authorize.AnyTrustedPeer,
        ["nobody"] => Authorize.Nobody,
        _ => throw new FormatException(
            $"Not a rule: {SafeText.Quote(line)}. Write dns NAME, uri URI, spiffe ID, spiffe TRUST-DOMAIN, email ADDRESS, upn NAME, ip ADDRESS, "
            + "subject DN, issuer DN, any-trusted or nobody."),
    };
}
