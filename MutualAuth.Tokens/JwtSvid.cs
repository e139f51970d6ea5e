using System.Collections.Immutable;
using MutualAuth.Names;
using MutualAuth.Tokens.Json;
using MutualAuth.Tokens.Keys;

namespace MutualAuth.Tokens;

/// <summary>What a JWT-SVID says of itself, for the workload to which it was issued.</summary>
/// <remarks>Immutable. It never prints the token. Who is shown a token uses <see cref="JwtSvidValidator"/> in its place.</remarks>
public sealed class JwtSvid
{
    private const int MaxAudiences = 64;

    private JwtSvid(string token, SpiffeId id, ImmutableArray<string> audiences, DateTimeOffset? issuedAt, DateTimeOffset expiresAt, string hint) =>
        (Token, SpiffeId, Audiences, IssuedAt, ExpiresAt, Hint) = (token, id, audiences, issuedAt, expiresAt, hint);

    /// <summary>The token. Its holder is the workload, until it expires: do not log it.</summary>
    public string Token { get; }

    /// <summary>Whose it is (<c>sub</c>).</summary>
    public SpiffeId SpiffeId { get; }

    /// <summary>For whom it is (<c>aud</c>).</summary>
    public ImmutableArray<string> Audiences { get; }

    /// <summary>When it was issued (<c>iat</c>); null when it does not say.</summary>
    public DateTimeOffset? IssuedAt { get; }

    /// <summary>When it expires (<c>exp</c>).</summary>
    public DateTimeOffset ExpiresAt { get; }

    /// <summary>What the operator means it for; empty when nothing was said.</summary>
    public string Hint { get; }

    /// <summary>Reads what a token says, and verifies nothing: for one that we got from our own agent, never for one that a peer shows.</summary>
    /// <param name="token">The token, of 16,000 characters at most.</param>
    /// <param name="hint">What the operator means it for.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="FormatException">It is no JWT-SVID; the message says why, without any of its text.</exception>
    public static JwtSvid DangerouslyReadUnverified(string token, string hint = "")
    {
        ArgumentNullException.ThrowIfNull(token);
        ArgumentNullException.ThrowIfNull(hint);
        if (!TokenSource.IsToken(token))
        {
            throw new FormatException($"Expected a token of 1 to {TokenSource.MaxLength} characters, got something else.");
        }

        var (read, expected) = SignedToken.Read(token);
        using var signed = read ?? throw new FormatException($"Expected {expected}, got something else.");
        if (signed.Algorithm is not { } algorithm || !SignedToken.KnownAlgorithms.Contains(algorithm))
        {
            throw new FormatException("Expected an algorithm of SPIFFE JWT-SVID §2.1, got another.");
        }

        if (!SpiffeId.TryParse(signed.Claims.Text("sub"), out var id))
        {
            throw new FormatException("Expected a sub that is a workload's SPIFFE ID, got something else.");
        }

        if (signed.Claims.Texts("aud", MaxAudiences) is not { Length: > 0 } audiences)
        {
            throw new FormatException($"Expected 1 to {MaxAudiences} audiences, got something else.");
        }

        if (signed.Claims.Date("exp") is not { } end)
        {
            throw new FormatException("Expected a time at which it ends (exp), got none.");
        }

        return signed.Claims.Has("iat") && signed.Claims.Date("iat") is null
            ? throw new FormatException("Expected an iat that is a time, got something else.")
            : new JwtSvid(token, id, [.. audiences], signed.Claims.Date("iat"), end, hint);
    }

    /// <summary>Whose it is, for whom, and until when; never the token.</summary>
    public override string ToString() =>
        $"{SpiffeId} for {string.Join(", ", Audiences.Take(4).Select(Quoted.Text))} until {ExpiresAt.Print()}";
}
