using System.Net;

namespace MutualAuth.Credentials;

/// <summary>
/// Decides whether a bearer token (RFC 6750) is genuine, intended for this server and in force. Its binding to the client's certificate is
/// checked separately.
/// </summary>
/// <remarks>
/// Called from many threads at once, before the client is authenticated: check the signature with keys that you have, and fetch nothing
/// that the token names. The client is rejected if it throws or is too late.
/// </remarks>
public interface ITokenValidator
{
    /// <summary>Judges one token.</summary>
    /// <param name="token">The token, of at most 16,384 characters. Do not log it.</param>
    /// <param name="remoteAddress">The client's address; null when the transport has none.</param>
    /// <param name="cancellationToken">Cancelled at the client's deadline.</param>
    ValueTask<TokenVerdict> ValidateAsync(string token, IPAddress? remoteAddress, CancellationToken cancellationToken);
}
