using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;
using MutualAuth.Tokens.Json;

namespace MutualAuth.Tokens.Keys;

/// <summary>One public key of an issuer (RFC 7517).</summary>
internal sealed class IssuerKey
{
    private const int MinRsaBits = 2048;
    private const int MaxRsaBits = 8192;
    private const int MaxExponentLength = 8;
    private const int MaxKeyIdLength = 256;

    private static readonly string[] s_privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

    private readonly string? _curve;

    private IssuerKey(string? id, string? algorithm, string? curve, string thumbprint, SecurityKey key)
    {
        Id = id;
        Algorithm = algorithm;
        _curve = curve;
        Thumbprint = thumbprint;
        Key = key;
    }

    internal string? Id { get; }

    /// <summary>The only algorithm that it is for; null where it names none.</summary>
    internal string? Algorithm { get; }

    /// <summary>RFC 7638, by SHA-256, in base64url.</summary>
    internal string Thumbprint { get; }

    internal SecurityKey Key { get; }

    /// <summary>Whether a signature by this algorithm can be this key's.</summary>
    internal bool Fits(string algorithm) => (Algorithm is null || Algorithm == algorithm)
        && algorithm switch
        {
            "ES256" => _curve == "P-256",
            "ES384" => _curve == "P-384",
            "ES512" => _curve == "P-521",
            "RS256" or "RS384" or "RS512" or "PS256" or "PS384" or "PS512" => _curve is null,
            _ => false,
        };

    /// <summary>Whether an element holds what must never be published: the set is then refused as a whole.</summary>
    internal static bool IsSecret(JsonElement element) => Array.Exists(s_privateMembers, name => element.Has(name));

    /// <summary>Reads a key; null, and in words why, for one that checks no signatures here.</summary>
    /// <param name="element">The key.</param>
    /// <param name="use">Which <c>use</c> counts where one is named.</param>
    internal static (IssuerKey? Key, string? Flaw) Read(JsonElement element, string use = KeySet.ForSignatures)
    {
        var id = element.Text("kid");
        if ((element.Has("kid") && id is null) || id?.Length > MaxKeyIdLength)
        {
            return (null, $"its kid is not a text of at most {MaxKeyIdLength} characters");
        }

        if (element.Has("use") && element.Text("use") != use)
        {
            return (null, $"it is not for the use {use}");
        }

        if (element.Has("key_ops") && element.Texts("key_ops", max: 8)?.Contains("verify") != true)
        {
            return (null, "it is not for checking signatures");
        }

        if (element.Has("alg") && element.Text("alg") is null)
        {
            return (null, "its alg is not a text");
        }

        return element.Text("kty") switch
        {
            "RSA" => Rsa(element, id),
            "EC" => Ec(element, id),
            _ => (null, "it is neither RSA nor EC"),
        };
    }

    private static (IssuerKey? Key, string? Flaw) Rsa(JsonElement element, string? id)
    {
        var (modulus, exponent) = (Number(element, "n"), Number(element, "e"));
        if (modulus is null || exponent is null || exponent.Length > MaxExponentLength || (exponent[^1] & 1) == 0 || exponent is [1])
        {
            return (null, "its numbers are not those of an RSA key");
        }

        var bits = (modulus.Length * 8) - byte.LeadingZeroCount(modulus[0]);
        if (bits is < MinRsaBits or > MaxRsaBits)
        {
            return (null, $"it has {bits} bits, and {MinRsaBits} to {MaxRsaBits} are expected");
        }

        var key = new RsaSecurityKey(new RSAParameters { Modulus = modulus, Exponent = exponent }) { KeyId = id };
        var canonical = $$"""{"e":"{{Base64Url.EncodeToString(exponent)}}","kty":"RSA","n":"{{Base64Url.EncodeToString(modulus)}}"}""";
        return (new IssuerKey(id, element.Text("alg"), curve: null, ThumbprintOf(canonical), key), null);
    }

    private static (IssuerKey? Key, string? Flaw) Ec(JsonElement element, string? id)
    {
        var name = element.Text("crv");
        var (curve, length) = name switch
        {
            "P-256" => (ECCurve.NamedCurves.nistP256, 32),
            "P-384" => (ECCurve.NamedCurves.nistP384, 48),
            "P-521" => (ECCurve.NamedCurves.nistP521, 66),
            _ => (default, 0),
        };
        var (x, y) = (Octets(element, "x"), Octets(element, "y"));
        if (length == 0 || x?.Length != length || y?.Length != length)
        {
            return (null, "it is on no curve that is accepted");
        }

        try
        {
            // The platform refuses a point that is not on the curve.
            var ecdsa = ECDsa.Create(new ECParameters { Curve = curve, Q = new ECPoint { X = x, Y = y } });
            var canonical = $$"""{"crv":"{{name}}","kty":"EC","x":"{{Base64Url.EncodeToString(x)}}","y":"{{Base64Url.EncodeToString(y)}}"}""";
            return (new IssuerKey(id, element.Text("alg"), name, ThumbprintOf(canonical), new ECDsaSecurityKey(ecdsa) { KeyId = id }), null);
        }
        catch (CryptographicException)
        {
            return (null, "its point is not on its curve");
        }
    }

    private static string ThumbprintOf(string canonical) => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(canonical)));

    /// <summary>A number without leading zeros; null for none and for zero.</summary>
    private static byte[]? Number(JsonElement element, string name) =>
        Octets(element, name)?.SkipWhile(octet => octet == 0).ToArray() is { Length: > 0 } number ? number : null;

    private static byte[]? Octets(JsonElement element, string name)
    {
        try
        {
            return element.Text(name) is { } text ? Base64Url.DecodeFromChars(text) : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
