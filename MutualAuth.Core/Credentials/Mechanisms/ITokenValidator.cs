using System.Collections.Immutable;
using System.Net;
using System.Security.Claims;

namespace MutualAuth.Credentials;

/// <summary>Decides whether a bearer token (RFC 6750) is genuine, meant for us and in force. That it belongs to the client's certificate is checked for it.</summary>
/// <remarks>
/// Called from many threads at once, before anybody is authenticated: check the signature with keys that you have, and fetch nothing that the token names.
/// What it throws refuses the client, and so does lateness.
/// </remarks>
public interface ITokenValidator
{
    /// <summary>Judges one token.</summary>
    /// <param name="token">The token, of at most 16,384 characters. Do not log it.</param>
    /// <param name="remoteAddress">The client's address; null when the transport has none.</param>
    /// <param name="cancellationToken">The client's time is over.</param>
    ValueTask<TokenVerdict> ValidateAsync(string token, IPAddress? remoteAddress, CancellationToken cancellationToken);
}

/// <summary>What a validator says of a token.</summary>
public sealed class TokenVerdict
{
    private TokenVerdict()
    {
    }

    internal string? UserName { get; private init; }

    internal string? Confirmation { get; private init; }

    internal ImmutableArray<Claim> Claims { get; private init; } = [];

    internal Rejection? Rejection { get; private init; }

    /// <summary>The token is genuine, meant for us and in force.</summary>
    /// <param name="userName">Whose it is, usually its <c>sub</c>, as SASLprep (RFC 4013) writes it and of 255 octets at most; any other form is
    /// <see cref="RejectionReason.UserNotAllowed"/>.</param>
    /// <param name="confirmationClaim">Its <c>cnf</c> claim as the JSON text that stands in the token (RFC 7800); null when it has none. Never leave it out when there is one.</param>
    /// <param name="claims">What else it says of the user.</param>
    public static TokenVerdict Valid(string userName, string? confirmationClaim, ImmutableArray<Claim> claims = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(userName);
        return new TokenVerdict { UserName = userName, Confirmation = confirmationClaim, Claims = claims.IsDefault ? [] : claims };
    }

    /// <summary>The token is not valid.</summary>
    /// <param name="expected">What would have been.</param>
    /// <param name="presented">What is wrong with this one, without any of its text.</param>
    public static TokenVerdict Invalid(string expected, string presented) => new() { Rejection = new Rejection(RejectionReason.TokenInvalid, expected, presented) };
}
