using System.Collections.Immutable;
using System.Security.Claims;

namespace MutualAuth.Credentials;

/// <summary>What a validator says of a token.</summary>
public sealed class TokenVerdict
{
    private TokenVerdict()
    {
    }

    internal string? UserName { get; private init; }

    internal string? Confirmation { get; private init; }

    internal DateTimeOffset? NotAfter { get; private init; }

    internal ImmutableArray<Claim> Claims { get; private init; } = [];

    internal Rejection? Rejection { get; private init; }

    /// <summary>The token is genuine, meant for us and in force.</summary>
    /// <param name="userName">Whose it is, usually its <c>sub</c>, as SASLprep (RFC 4013) writes it and of 255 octets at most; any other form is
    /// <see cref="RejectionReason.UserNotAllowed"/>.</param>
    /// <param name="confirmationClaim">
    /// Its <c>cnf</c> claim as the JSON text that stands in the token (RFC 7800); null when it has none. Never leave it out when there is
    /// one.
    /// </param>
    /// <param name="claims">What else it says of the user.</param>
    /// <param name="notAfter">When it expires (<c>exp</c>), after which its connections end; null when it does not say.</param>
    /// <exception cref="ArgumentException"><paramref name="userName"/> is null or empty.</exception>
    public static TokenVerdict Valid(
        string userName, string? confirmationClaim, ImmutableArray<Claim> claims = default, DateTimeOffset? notAfter = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(userName);
        return new TokenVerdict
        {
            UserName = userName,
            Confirmation = confirmationClaim,
            Claims = claims.IsDefault ? [] : claims,
            NotAfter = notAfter,
        };
    }

    /// <summary>The token is not valid.</summary>
    /// <param name="expected">What would have been.</param>
    /// <param name="presented">What is wrong with this one, without any of its text.</param>
    public static TokenVerdict Invalid(string expected, string presented) =>
        new() { Rejection = new Rejection(RejectionReason.TokenInvalid, expected, presented) };
}
