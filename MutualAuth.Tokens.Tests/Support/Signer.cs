using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace MutualAuth.Tests.Support;

/// <summary>A key of an issuer, and tokens signed by it in every way, right and wrong.</summary>
public sealed class Signer(string kid = "a") : IDisposable
{
    internal const string Issuer = "https://issuer.test";
    internal const string Audience = "https://invoices.test";

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>When the tests began, to the second: the server's own clock is not faked.</summary>
    internal static DateTimeOffset Now { get; } = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());

    internal string Kid => kid;

    internal JsonObject Jwk
    {
        get
        {
            var point = _key.ExportParameters(false).Q;
            return new JsonObject { ["kty"] = "EC", ["crv"] = "P-256", ["kid"] = Kid, ["x"] = Text(point.X!), ["y"] = Text(point.Y!) };
        }
    }

    /// <summary>RFC 7638, computed here once more.</summary>
    internal string Thumbprint
    {
        get
        {
            var point = _key.ExportParameters(false).Q;
            return Text(SHA256.HashData(Encoding.ASCII.GetBytes(
                $$"""{"crv":"P-256","kty":"EC","x":"{{Text(point.X!)}}","y":"{{Text(point.Y!)}}"}""")));
        }
    }

    internal static string Set(params IEnumerable<JsonObject> keys) => new JsonObject { ["keys"] = new JsonArray([.. keys]) }.ToJsonString();

    internal static JsonObject Header(string kid = "a") => new() { ["alg"] = "ES256", ["typ"] = "at+jwt", ["kid"] = kid };

    internal static JsonObject Claims() => new()
    {
        ["iss"] = Issuer,
        ["sub"] = "alice",
        ["client_id"] = "billing",
        ["aud"] = Audience,
        ["iat"] = Now.ToUnixTimeSeconds(),
        ["exp"] = Now.AddMinutes(10).ToUnixTimeSeconds(),
        ["scope"] = "invoices:read invoices:list",
        ["roles"] = new JsonArray("reader"),
    };

    internal string Sign(JsonObject? header = null, JsonObject? claims = null) =>
        SignTexts((header ?? Header(Kid)).ToJsonString(), (claims ?? Claims()).ToJsonString());

    internal string SignTexts(string header, string claims)
    {
        var signed = $"{Text(Encoding.UTF8.GetBytes(header))}.{Text(Encoding.UTF8.GetBytes(claims))}";
        return $"{signed}.{Text(_key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }

    public void Dispose() => _key.Dispose();

    internal static string Text(byte[] octets) => Base64Url.EncodeToString(octets);
}
