using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
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
        var (read, expected) = SignedToken.Read(token);
        using var signed = read;
        if (signed is null)
        {
            return _options.No(RejectionReason.TokenInvalid, expected!, "something else");
        }

        if ((signed.JudgeHeader(_options, _options.Algorithms) ?? JudgeType(signed.Header)) is { } objection)
        {
            return objection;
        }

        var (keys, none) = await FindKeysAsync(signed, cancellationToken).ConfigureAwait(false);
        if (none is not null)
        {
            return none;
        }

        if (signed.SignedBy(keys) is null)
        {
            return _options.No(RejectionReason.TokenSignatureWrong, "a signature by the issuer's key", "another");
        }

        return signed.Claims.Text("iss") == _options.Issuer
            ? _options.Judge(signed.Claims, _options.MaxTokenAge)
            : _options.No(
                RejectionReason.TokenIssuerWrong, $"the issuer {Quoted.Text(_options.Issuer)}", Quoted.Text(signed.Claims.Text("iss")));
    }

    private TokenVerdict? JudgeType(JsonElement header)
    {
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
        SignedToken signed, CancellationToken cancellationToken)
    {
        var (id, algorithm) = (signed.KeyId, signed.Algorithm!);
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

    private static bool IsAccessToken(string? type) => Is(type, "at+jwt") || Is(type, "application/at+jwt");

    /// <summary>Media types are compared without regard to case (RFC 2045 §5.1).</summary>
    private static bool Is(string? type, string expected) => string.Equals(type, expected, StringComparison.OrdinalIgnoreCase);
}
