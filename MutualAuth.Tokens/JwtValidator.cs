using System.Buffers.Text;
using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;
using MutualAuth.Credentials;
using MutualAuth.Tokens.Json;
using MutualAuth.Tokens.Keys;

namespace MutualAuth.Tokens;

/// <summary>Accepts access tokens that an issuer has signed (RFC 9068), by keys that we have.</summary>
/// <remarks>
/// <para>In this order: the form of the token and its header, the algorithm, the type, the key, the signature, and then the claims: issuer, audience,
/// times, user, scopes and roles. The first objection is the reason. Nothing that the token names is fetched; a token that brings or names a key
/// of its own (<c>jwk</c>, <c>jku</c>, <c>x5u</c>), an encrypted, a nested one and one with critical parameters are refused.</para>
/// <para>Its <c>cnf</c> is handed on as it stands, and <see cref="SaslServer.BoundTokens"/> holds it to the client's certificate. Its expiry ends
/// connections. Safe for concurrent use.</para>
/// </remarks>
/// <example>
/// <code>
/// var tokens = new JwtValidator(new JwtValidatorOptions { Issuer = issuer, Audiences = ["https://invoices.example"], Keys = keys });
/// </code>
/// </example>
public sealed class JwtValidator : ITokenValidator
{
    private const int MaxLength = 16_384;
    private const int MaxHeaderLength = 4096;

    private readonly JwtValidatorOptions _options;

    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="ArgumentException">The options contradict themselves; the message lists every problem.</exception>
    public JwtValidator(JwtValidatorOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (string.Join(' ', options.Problems()) is { Length: > 0 } problems)
        {
            throw new ArgumentException(problems, nameof(options));
        }

        _options = options;
    }

    /// <inheritdoc/>
    public async ValueTask<TokenVerdict> ValidateAsync(string token, IPAddress? remoteAddress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(token);
        if (token.Length > MaxLength || token.Split('.') is not [var head, var body, { Length: > 0 }] || !IsBase64Url(token))
        {
            return _options.No(RejectionReason.TokenInvalid, "a signed token of three parts (RFC 7515 §7.1)", "something else");
        }

        using var header = Read(head, MaxHeaderLength);
        using var claims = Read(body, MaxLength);
        if (header is null || claims is null)
        {
            return _options.No(RejectionReason.TokenInvalid, "a header and claims that are JSON objects without a name twice", "something else");
        }

        if (JudgeHeader(header.RootElement) is { } objection)
        {
            return objection;
        }

        var (keys, none) = await FindKeysAsync(header.RootElement, cancellationToken).ConfigureAwait(false);
        if (none is not null)
        {
            return none;
        }

        if (!IsSigned(token, header.RootElement.Text("alg")!, keys))
        {
            return _options.No(RejectionReason.TokenSignatureWrong, "a signature by the issuer's key", "another");
        }

        return claims.RootElement.Text("iss") == _options.Issuer
            ? _options.Judge(claims.RootElement, _options.MaxTokenAge)
            : _options.No(
                RejectionReason.TokenIssuerWrong, $"the issuer {Quoted.Text(_options.Issuer)}", Quoted.Text(claims.RootElement.Text("iss")));
    }

    private TokenVerdict? JudgeHeader(JsonElement header)
    {
        if (header.Text("alg") is not { } algorithm || !_options.Algorithms.Contains(algorithm))
        {
            return _options.No(
                RejectionReason.TokenSignatureWrong,
                $"one of the algorithms {string.Join(", ", _options.Algorithms)}",
                Quoted.Text(header.Text("alg")));
        }

        if (header.Has("crit") || header.Has("jwk") || header.Has("jku") || header.Has("x5u") || header.Has("cty") || header.Has("enc"))
        {
            return _options.No(
                RejectionReason.TokenInvalid,
                "a header without critical parameters and without keys of its own (RFC 8725 §3.10)",
                "one with crit, jwk, jku, x5u, cty or enc");
        }

        if (header.Has("kid") && header.Text("kid") is null)
        {
            return _options.No(RejectionReason.TokenInvalid, "a kid that is a text", "something else");
        }

        var type = header.Text("typ");
        return IsAccessToken(type) || (_options.AcceptsTypeJwt && (!header.Has("typ") || Is(type, "JWT")))
            ? null
            : _options.No(
                RejectionReason.TokenTypeWrong,
                _options.AcceptsTypeJwt ? "the type at+jwt or JWT" : "the type at+jwt (RFC 9068 §2.1)",
                Quoted.Text(type));
    }

    /// <summary>The keys that can have signed; where none can, the newest set is asked for once.</summary>
    private async ValueTask<(ImmutableArray<IssuerKey> Keys, TokenVerdict? None)> FindKeysAsync(
        JsonElement header, CancellationToken cancellationToken)
    {
        var (id, algorithm) = (header.Text("kid"), header.Text("alg")!);
        var found = _options.Keys.Current?.Find(id, algorithm) ?? [];
        if (found.IsEmpty)
        {
            await _options.Keys.RenewAsync(cancellationToken).ConfigureAwait(false);
            if (_options.Keys.Current is not { } current)
            {
                return ([], TokenVerdict.Unavailable("the issuer's keys", "none, or none that are young enough"));
            }

            found = current.Find(id, algorithm);
        }

        return found.IsEmpty
            ? ([], _options.No(
                RejectionReason.TokenKeyUnknown, $"a key of the issuer's for {algorithm}, by its kid or the only one", Quoted.Text(id)))
            : (found, null);
    }

    /// <summary>The library checks the signature, with the algorithm and a key that we choose.</summary>
    private static bool IsSigned(string token, string algorithm, ImmutableArray<IssuerKey> keys)
    {
        var end = token.LastIndexOf('.');
        try
        {
            var (signed, signature) = (Encoding.ASCII.GetBytes(token[..end]), Base64Url.DecodeFromChars(token.AsSpan(end + 1)));
            return signature.Length > 0 && keys.Any(key => IsSignedBy(key.Key, algorithm, signed, signature));
        }
        catch (Exception exception) when (exception is FormatException or CryptographicException)
        {
            return false;
        }
    }

    private static bool IsSignedBy(SecurityKey key, string algorithm, byte[] signed, byte[] signature)
    {
        var provider = key.CryptoProviderFactory.CreateForVerifying(key, algorithm);
        try
        {
            return provider.Verify(signed, signature);
        }
        finally
        {
            key.CryptoProviderFactory.ReleaseSignatureProvider(provider);
        }
    }

    private static bool IsAccessToken(string? type) => Is(type, "at+jwt") || Is(type, "application/at+jwt");

    /// <summary>Media types are compared without regard to case (RFC 2045 §5.1).</summary>
    private static bool Is(string? type, string expected) => string.Equals(type, expected, StringComparison.OrdinalIgnoreCase);

    private static bool IsBase64Url(string token) =>
        token.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.');

    private static JsonDocument? Read(string part, int maxLength)
    {
        if (part.Length > maxLength)
        {
            return null;
        }

        try
        {
            return StrictJson.ReadObject(Base64Url.DecodeFromChars(part));
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
