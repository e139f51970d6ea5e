using System.Buffers.Text;
using System.Collections.Immutable;
using System.Net;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MutualAuth.Credentials;

namespace MutualAuth.Samples;

/// <summary>Checks that a token is genuine, meant for us and valid now. The library checks the certificate to which it is bound.</summary>
internal sealed class TokenValidator(string issuer, string audience, ECDsa issuerKey, TimeProvider clock) : ITokenValidator
{
    private static readonly JsonDocumentOptions s_strict = new() { MaxDepth = 4, AllowDuplicateProperties = false };

    public ValueTask<TokenVerdict> ValidateAsync(string token, IPAddress? remoteAddress, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Validate(token));

    // The signature is checked before any claim of the token.
    private TokenVerdict Validate(string token)
    {
        try
        {
            if (token.Split('.') is not [var header, var payload, var signature])
            {
                return TokenVerdict.Invalid("a signed token", "something else");
            }

            var signed = Encoding.ASCII.GetBytes($"{header}.{payload}");
            bool isGenuine;
            lock (issuerKey)
            {
                isGenuine = issuerKey.VerifyData(signed, Base64Url.DecodeFromChars(signature), HashAlgorithmName.SHA256);
            }

            using var head = JsonDocument.Parse(Base64Url.DecodeFromChars(header), s_strict);
            using var body = JsonDocument.Parse(Base64Url.DecodeFromChars(payload), s_strict);
            return !isGenuine ? TokenVerdict.Invalid("the issuer's signature", "another")
                : Text(head.RootElement, "alg") != "ES256" || head.RootElement.TryGetProperty("crit", out _)
                ? TokenVerdict.Invalid("ES256", "another algorithm")
                : Judge(body.RootElement);
        }
        catch (Exception exception) when (exception is FormatException or JsonException or InvalidOperationException)
        {
            return TokenVerdict.Invalid("a token in JSON", "something else");
        }
    }

    private TokenVerdict Judge(JsonElement claims)
    {
        if (Text(claims, "iss") != issuer || Text(claims, "aud") != audience)
        {
            return TokenVerdict.Invalid("a token of our issuer, for us", "one of another issuer, or for another service");
        }

        if (!claims.TryGetProperty("exp", out var expiry) || !expiry.TryGetInt64(out var seconds) || clock.GetUtcNow().ToUnixTimeSeconds() >= seconds)
        {
            return TokenVerdict.Invalid("a token in force", "one that has expired, or never does");
        }

        ImmutableArray<Claim> scopes =
            [.. (Text(claims, "scope") ?? string.Empty).Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(scope => new Claim("scope", scope))];
        var confirmation = claims.TryGetProperty("cnf", out var cnf) ? cnf.GetRawText() : null;
        return Text(claims, "sub") is { Length: > 0 } subject
            ? TokenVerdict.Valid(subject, confirmation, scopes, DateTimeOffset.FromUnixTimeSeconds(seconds))
            : TokenVerdict.Invalid("a token with a subject", "one without");
    }

    private static string? Text(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
