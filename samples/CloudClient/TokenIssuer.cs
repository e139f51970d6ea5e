using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MutualAuth.Samples;

/// <summary>
/// Issues signed tokens (RFC 7519, ES256), each bound to the certificate of the workload that asked for it. In production this is your identity
/// provider.
/// </summary>
internal sealed class TokenIssuer(string name, ECDsa key, TimeProvider clock)
{
    private const string KeyId = "2026";

    /// <summary>The public keys, as an issuer publishes them (RFC 7517 §5).</summary>
    internal string PublishKeys()
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        return new JsonObject
        {
            ["keys"] = new JsonArray(new JsonObject
            {
                ["kty"] = "EC",
                ["crv"] = "P-256",
                ["kid"] = KeyId,
                ["x"] = Base64Url.EncodeToString(point.X),
                ["y"] = Base64Url.EncodeToString(point.Y),
            }),
        }.ToJsonString();
    }

    internal string Issue(string subject, string audience, ReadOnlyMemory<byte>? boundTo, string scope, TimeSpan? lifetime = null)
    {
        var now = clock.GetUtcNow();
        var claims = new JsonObject
        {
            ["iss"] = name,
            ["sub"] = subject,
            ["aud"] = audience,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = (now + (lifetime ?? TimeSpan.FromMinutes(10))).ToUnixTimeSeconds(),
            ["scope"] = scope,
        };
        if (boundTo is { } certificate)
        {
            claims["cnf"] = new JsonObject { ["x5t#S256"] = Base64Url.EncodeToString(SHA256.HashData(certificate.Span)) };
        }

        var signed = $"{Encode(new JsonObject { ["alg"] = "ES256", ["typ"] = "at+jwt", ["kid"] = KeyId })}.{Encode(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(key.SignData(System.Text.Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }

    private static string Encode(JsonObject part) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(part));
}
