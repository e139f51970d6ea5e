using System.Collections.Immutable;
using System.Security.Claims;
using MutualAuth.Authorization;
using MutualAuth.Errors;

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

    internal ImmutableArray<LoginFact> Facts { get; private init; } = [];

    internal Rejection? Rejection { get; private init; }

    /// <summary>What the client is told; null when it is told to come again.</summary>
    internal TokenError? Told { get; private init; }

    /// <summary>The token is genuine, meant for us and in force.</summary>
    /// <param name="userName">Whose it is, usually its <c>sub</c>, as SASLprep (RFC 4013) writes it and of 255 octets at most; any other form is
    /// <see cref="RejectionReason.UserNotAllowed"/>.</param>
    /// <param name="confirmationClaim">
    /// Its <c>cnf</c> claim as the JSON text that stands in the token (RFC 7800); null when it has none. Never leave it out when there is
    /// one.
    /// </param>
    /// <param name="claims">What else it says of the user.</param>
    /// <param name="notAfter">When it expires (<c>exp</c>), after which its connections end; null when it does not say.</param>
    /// <param name="facts">What the verdict relied on that may change while the connection is open, so that it can be examined again.</param>
    /// <exception cref="ArgumentException"><paramref name="userName"/> is null or empty.</exception>
    public static TokenVerdict Valid(
        string userName,
        string? confirmationClaim,
        ImmutableArray<Claim> claims = default,
        DateTimeOffset? notAfter = null,
        ImmutableArray<LoginFact> facts = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(userName);
        return new TokenVerdict
        {
            UserName = userName,
            Confirmation = confirmationClaim,
            Claims = claims.IsDefault ? [] : claims,
            NotAfter = notAfter,
            Facts = facts.IsDefault ? [] : facts,
        };
    }

    /// <summary>The token is not valid. The client is told <see cref="TokenError.InvalidToken"/>.</summary>
    /// <param name="expected">What would have been.</param>
    /// <param name="presented">What is wrong with this one, without any of its text.</param>
    public static TokenVerdict Invalid(string expected, string presented) => Invalid(expected, presented, new TokenError());

    /// <summary>The token is not valid, and the client is told more about the one that it needs.</summary>
    /// <param name="expected">What would have been.</param>
    /// <param name="presented">What is wrong with this one, without any of its text.</param>
    /// <param name="error">What the client is told (RFC 7628 §3.2.2).</param>
    /// <param name="reason">
    /// What is wrong, for the operator: <see cref="RejectionReason.TokenInvalid"/>, one of those from
    /// <see cref="RejectionReason.TokenNoLongerValid"/> to <see cref="RejectionReason.TokenNotActive"/>, or
    /// <see cref="RejectionReason.UserNotAllowed"/> for a genuine token of a user who is not accepted. The client is told its public reason alone.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="error"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="reason"/> is another reason.</exception>
    public static TokenVerdict Invalid(
        string expected, string presented, TokenError error, RejectionReason reason = RejectionReason.TokenInvalid)
    {
        ArgumentNullException.ThrowIfNull(error);
        return reason is RejectionReason.TokenInvalid or RejectionReason.UserNotAllowed
            or (>= RejectionReason.TokenNoLongerValid and <= RejectionReason.TokenNotActive)
            ? new() { Rejection = new Rejection(reason, expected, presented), Told = error }
            : throw new ArgumentOutOfRangeException(nameof(reason), reason, "Not a reason for refusing a token.");
    }

    /// <summary>
    /// Nothing can be said of the token now, because what is needed to judge it cannot be had: the client is refused as
    /// <see cref="RejectionReason.TokenIssuerUnavailable"/>, and told to try again later.
    /// </summary>
    /// <param name="expected">What is needed, such as the issuer's keys.</param>
    /// <param name="presented">Why it cannot be had.</param>
    public static TokenVerdict Unavailable(string expected, string presented) =>
        new() { Rejection = new Rejection(RejectionReason.TokenIssuerUnavailable, expected, presented) };
}
