using System.Collections.Immutable;
using MutualAuth.Tokens.Keys;

namespace MutualAuth.Tokens;

/// <summary>Which signed tokens are accepted (RFC 9068).</summary>
/// <remarks>Immutable. The constructor that takes the options reports every problem at once.</remarks>
public sealed record JwtValidatorOptions : TokenPolicy
{
    /// <summary>The issuer, as its tokens name it (<c>iss</c>), letter for letter.</summary>
    public required string Issuer { get; init; }

    /// <summary>Its keys. The caller disposes of them.</summary>
    public required IssuerKeys Keys { get; init; }

    /// <summary>
    /// The algorithms that are accepted (RFC 7518 §3). Default: ES256, ES384, ES512, PS256, PS384, PS512, RS256, RS384 and RS512, which are also all
    /// that may be named: a token without a signature, or with one by a shared secret, is never accepted.
    /// </summary>
    public ImmutableArray<string> Algorithms { get; init; } = SignedToken.KnownAlgorithms;

    /// <summary>
    /// Whether a token may also have the type <c>JWT</c>, or none, for issuers that do not follow RFC 9068. An ID token may then pass as an access
    /// token if its audience fits. Default: false; the type must be <c>at+jwt</c>.
    /// </summary>
    public bool AcceptsTypeJwt { get; init; }

    /// <summary>How old a token may be by its <c>iat</c>, whatever its <c>exp</c> says. Default: a day; one minute to a year.</summary>
    public TimeSpan MaxTokenAge { get; init; } = TimeSpan.FromDays(1);

    internal IEnumerable<string> Problems()
    {
        foreach (var problem in PolicyProblems())
        {
            yield return problem;
        }

        if (string.IsNullOrEmpty(Issuer))
        {
            yield return $"{nameof(Issuer)} must not be empty.";
        }

        if (Keys is null)
        {
            yield return $"{nameof(Keys)} must not be null.";
        }

        if (Algorithms.IsDefaultOrEmpty || !Algorithms.All(SignedToken.KnownAlgorithms.Contains))
        {
            yield return $"{nameof(Algorithms)} must hold at least one of {string.Join(", ", SignedToken.KnownAlgorithms)}, and nothing else.";
        }

        if (MaxTokenAge < TimeSpan.FromMinutes(1) || MaxTokenAge > TimeSpan.FromDays(366))
        {
            yield return $"{nameof(MaxTokenAge)} must be between one minute and 366 days; it is {MaxTokenAge}.";
        }
    }
}
