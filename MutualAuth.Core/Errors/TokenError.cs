using System.Buffers;

namespace MutualAuth.Errors;

/// <summary>What a server tells a client whose token it refuses (RFC 7628 §3.2.2), so that the client knows which token to get.</summary>
/// <remarks>
/// Immutable. At a server the values are the operator's, and what is not well-formed throws. At a client
/// (<see cref="HandshakeException.TokenError"/>) they are the server's words, held to the same form; what is not well-formed is dropped.
/// </remarks>
public sealed record TokenError
{
    private const int MaxStatusLength = 64;
    private const int MaxScopeLength = 1024;
    private const int MaxAddressLength = 2048;

    private static readonly SearchValues<char> s_status = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_");

    /// <summary>Says that the token is not valid, and nothing else.</summary>
    public TokenError()
    {
    }

    /// <summary>Says what is wrong.</summary>
    /// <param name="status">The error.</param>
    /// <param name="scope">The scopes that a token needs here; null to say nothing.</param>
    /// <param name="openIdConfiguration">The address of the issuer's configuration; null to say nothing.</param>
    /// <exception cref="ArgumentException">One of them is not of its form.</exception>
    public TokenError(string status, string? scope = null, string? openIdConfiguration = null)
    {
        Status = status;
        Scope = scope;
        OpenIdConfiguration = openIdConfiguration;
    }

    /// <summary>The token is expired, revoked, forged, or for another service (RFC 6750 §3.1). What a server says by default.</summary>
    public const string InvalidToken = "invalid_token";

    /// <summary>The token is genuine, and lacks a scope (RFC 6750 §3.1).</summary>
    public const string InsufficientScope = "insufficient_scope";

    /// <summary>The error: lower-case letters, digits and underscores, 64 at most. Default: <see cref="InvalidToken"/>.</summary>
    /// <exception cref="ArgumentException">It is set to something else.</exception>
    public string Status
    {
        get;
        init => field = IsStatus(value) ? value : throw new ArgumentException("Expected 1 to 64 of a-z, 0-9 and _.", nameof(value));
    } = InvalidToken;

    /// <summary>
    /// The scopes that a token needs here, separated by spaces (RFC 6749 §3.3), 1,024 characters at most; null when nothing is said.
    /// </summary>
    /// <exception cref="ArgumentException">It is set to something that is not a list of scopes.</exception>
    public string? Scope
    {
        get;
        init => field = value is null || IsScope(value)
            ? value
            : throw new ArgumentException("Expected scopes (RFC 6749 §3.3), separated by one space, of 1,024 characters at most.", nameof(value));
    }

    /// <summary>
    /// The address of the issuer's configuration (OpenID Connect Discovery 1.0); https, 2,048 characters at most; null when nothing is said.
    /// A client must not fetch it unless it trusts the server to choose its issuer: this library never does.
    /// </summary>
    /// <exception cref="ArgumentException">It is set to something that is not such an address.</exception>
    public string? OpenIdConfiguration
    {
        get;
        init => field = value is null || IsAddress(value)
            ? value
            : throw new ArgumentException("Expected an https address without user and fragment, of 2,048 characters at most.", nameof(value));
    }

    /// <summary>The server's words in a sentence for the client's operator, quoted and cut.</summary>
    internal string Describe() =>
        $"Of the token the server says {Status}."
            + (Scope is null ? string.Empty : $" It wants the scope {SafeText.Quote(Scope)}.")
            + (OpenIdConfiguration is null ? string.Empty : $" It names the issuer's configuration {SafeText.Quote(OpenIdConfiguration)}.");

    internal static bool IsStatus(string text) =>
        text.Length is > 0 and <= MaxStatusLength && text.AsSpan().IndexOfAnyExcept(s_status) < 0;

    internal static bool IsScope(string text) =>
        text.Length is > 0 and <= MaxScopeLength
            && Array.TrueForAll(
                text.Split(' '), scope => scope.Length > 0 && scope.All(character => character is > ' ' and <= '~' and not ('"' or '\\')));

    internal static bool IsAddress(string text) =>
        text.Length <= MaxAddressLength
            && text.All(character => character is > ' ' and <= '~')
            && Uri.TryCreate(text, UriKind.Absolute, out var address)
            && address.Scheme == Uri.UriSchemeHttps && address.UserInfo.Length == 0 && address.Fragment.Length == 0;
}
