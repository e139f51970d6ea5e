using System.Collections.Immutable;
using System.Security.Claims;
using System.Text.Json;
using MutualAuth.Credentials;
using MutualAuth.Errors;
using MutualAuth.Tokens.Json;

namespace MutualAuth.Tokens;

/// <summary>Which claim of a token is the user's name.</summary>
public enum TokenUser
{
    /// <summary><c>sub</c>: the user, or for a client that acts for itself what the issuer says of it.</summary>
    Subject = 1,

    /// <summary><c>client_id</c>: the program for which the token was issued (RFC 8693 §4.3).</summary>
    ClientId = 2,
}

/// <summary>What a token must say to be accepted, whether it is signed or the issuer is asked about it.</summary>
/// <remarks>Immutable. The constructor of the validator that takes it reports every problem at once.</remarks>
public abstract record TokenPolicy
{
    private const int MaxListed = 64;
    private static readonly TimeSpan s_mostSkew = TimeSpan.FromMinutes(5);

    private protected TokenPolicy()
    {
    }

    /// <summary>Our names as tokens have them (<c>aud</c>). A token must name one of them, letter for letter.</summary>
    public required ImmutableArray<string> Audiences { get; init; }

    /// <summary>Scopes that a token must have, all of them. Default: none. The client is told them when one is missing.</summary>
    public ImmutableArray<string> RequiredScopes { get; init; } = [];

    /// <summary>Roles that a token must have (<c>roles</c>, RFC 9068 §2.2.3.1), all of them. Default: none.</summary>
    public ImmutableArray<string> RequiredRoles { get; init; } = [];

    /// <summary>Which claim is the user's name. Default: <see cref="TokenUser.Subject"/>.</summary>
    public TokenUser User { get; init; } = TokenUser.Subject;

    /// <summary>
    /// How far the issuer's clock and ours may differ. Default: a minute; at most five. A token is accepted for so long after its <c>exp</c>, and its
    /// connections end then and not before.
    /// </summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>What clients are told of the issuer when their token is refused (RFC 7628 §3.2.2). Default: nothing.</summary>
    public string? OpenIdConfiguration { get; init; }

    /// <summary>The clock. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    private protected IEnumerable<string> PolicyProblems()
    {
        if (Audiences.IsDefaultOrEmpty || Audiences.Any(string.IsNullOrEmpty))
        {
            yield return $"{nameof(Audiences)} must hold at least one name, and nothing that is empty.";
        }

        if (RequiredScopes.IsDefault || RequiredRoles.IsDefault || RequiredRoles.Any(string.IsNullOrEmpty) || !RequiredScopes.All(IsScope)
            || string.Join(' ', RequiredScopes).Length > 1024)
        {
            yield return $"{nameof(RequiredScopes)} must hold scopes (RFC 6749 §3.3), and {nameof(RequiredRoles)} nothing that is empty.";
        }

        if (User is not (TokenUser.Subject or TokenUser.ClientId))
        {
            yield return $"{nameof(User)} must be a {nameof(TokenUser)}; it is {(int)User}.";
        }

        if (ClockSkew < TimeSpan.Zero || ClockSkew > s_mostSkew)
        {
            yield return $"{nameof(ClockSkew)} must be between zero and five minutes; it is {ClockSkew}.";
        }

        if (OpenIdConfiguration is not null
            && !(Uri.TryCreate(OpenIdConfiguration, UriKind.Absolute, out var address) && Http.IssuerHttp.IsAddress(address)))
        {
            yield return $"{nameof(OpenIdConfiguration)} must be an https address without user and fragment.";
        }

        if (TimeProvider is null)
        {
            yield return $"{nameof(TimeProvider)} must not be null.";
        }
    }

    /// <summary>Judges what is the same for both kinds: audience, times, user, scopes, roles.</summary>
    /// <param name="claims">The claims, or the issuer's answer.</param>
    /// <param name="mostAge">How old a token may be by its <c>iat</c>, which it must then have; null where that is not asked.</param>
    /// <param name="facts">What the verdict relies on.</param>
    internal TokenVerdict Judge(JsonElement claims, TimeSpan? mostAge, ImmutableArray<MutualAuth.Authorization.LoginFact> facts = default)
    {
        var now = TimeProvider.GetUtcNow();
        if (claims.Texts("aud", MaxListed)?.Any(Audiences.Contains) != true)
        {
            return No(RejectionReason.TokenAudienceWrong, $"a token for {Quoted.Text(Audiences[0])}", "one for another service, or for none");
        }

        if (claims.Date("exp") is not { } end)
        {
            return No(RejectionReason.TokenInvalid, "a token with a time at which it ends (exp)", "one without");
        }

        if (now - end >= ClockSkew)
        {
            return No(RejectionReason.TokenNoLongerValid, $"a token that is valid at {now.Print()}", $"one that expired at {end.Print()}");
        }

        if (claims.Has("nbf") && claims.Date("nbf") is null)
        {
            return No(RejectionReason.TokenInvalid, "an nbf that is a time", "something else");
        }

        if (claims.Date("nbf") is { } start && start - now > ClockSkew)
        {
            return No(RejectionReason.TokenNotYetValid, $"a token that is valid at {now.Print()}", $"one that is valid from {start.Print()}");
        }

        return JudgeAge(claims, now, mostAge) ?? JudgeGrants(claims, end, facts);
    }

    internal TokenVerdict No(RejectionReason reason, string expected, string presented) =>
        TokenVerdict.Invalid(expected, presented, new TokenError { OpenIdConfiguration = OpenIdConfiguration, Scope = WantedScope }, reason);

    private string? WantedScope => RequiredScopes.IsEmpty ? null : string.Join(' ', RequiredScopes);

    private TokenVerdict? JudgeAge(JsonElement claims, DateTimeOffset now, TimeSpan? mostAge)
    {
        if (claims.Date("iat") is not { } issued)
        {
            return mostAge is not null || claims.Has("iat")
                ? No(RejectionReason.TokenInvalid, "a token that says when it was issued (iat, RFC 9068 §2.2)", "one that does not")
                : null;
        }

        return issued - now > ClockSkew
            ? No(RejectionReason.TokenNotYetValid, $"a token that was issued by {now.Print()}", $"one that says {issued.Print()}")
            : now - issued - ClockSkew > mostAge
            ? No(RejectionReason.TokenNoLongerValid, $"a token that is at most {mostAge} old", $"one that was issued at {issued.Print()}")
            : null;
    }

    private TokenVerdict JudgeGrants(JsonElement claims, DateTimeOffset end, ImmutableArray<MutualAuth.Authorization.LoginFact> facts)
    {
        var name = User == TokenUser.Subject ? "sub" : "client_id";
        if (claims.Text(name) is not { Length: > 0 } user)
        {
            return No(RejectionReason.TokenInvalid, $"a token with the claim {name}", "one without");
        }

        var scopes = Listed(claims, "scope", splits: true);
        var roles = Listed(claims, "roles", splits: false);
        if (scopes is null || roles is null)
        {
            return No(RejectionReason.TokenInvalid, $"at most {MaxListed} scopes and {MaxListed} roles", "more, or something else");
        }

        var missing = RequiredScopes.FirstOrDefault(scope => !scopes.Contains(scope)) is { } scope ? $"the scope {Quoted.Text(scope)}"
            : RequiredRoles.FirstOrDefault(role => !roles.Contains(role)) is { } role ? $"the role {Quoted.Text(role)}"
            : null;
        if (missing is not null)
        {
            return TokenVerdict.Invalid(
                $"a token with {missing}",
                "one without",
                new TokenError { Status = TokenError.InsufficientScope, Scope = WantedScope, OpenIdConfiguration = OpenIdConfiguration },
                RejectionReason.TokenScopeMissing);
        }

        string[] single = ["iss", "sub", "client_id", "jti"];
        var confirmation = claims.TryGetProperty("cnf", out var cnf) ? cnf.GetRawText() : null;
        return TokenVerdict.Valid(
            user,
            confirmation,
            [
                .. single.Select(claim => (claim, Text: claims.Text(claim))).Where(pair => pair.Text is not null)
                    .Select(pair => new Claim(pair.claim, pair.Text!)),
                .. scopes.Select(item => new Claim("scope", item)),
                .. roles.Select(item => new Claim("roles", item)),
            ],
            end < DateTimeOffset.MaxValue - ClockSkew ? end + ClockSkew : end,
            facts);
    }

    /// <summary>The list; empty when there is none, null when it is not one or too long.</summary>
    private static string[]? Listed(JsonElement claims, string name, bool splits)
    {
        if (!claims.Has(name))
        {
            return [];
        }

        var texts = claims.Texts(name, MaxListed);
        var items = splits ? texts?.SelectMany(text => text.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToArray() : texts;
        return items?.Length <= MaxListed ? items : null;
    }

    private static bool IsScope(string? scope) =>
        !string.IsNullOrEmpty(scope) && scope.All(character => character is > ' ' and <= '~' and not ('"' or '\\'));
}
