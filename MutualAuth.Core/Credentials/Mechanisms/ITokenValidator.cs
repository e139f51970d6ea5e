using System.Net;

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
