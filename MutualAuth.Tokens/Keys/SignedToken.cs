using System.Buffers.Text;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;
using MutualAuth.Credentials;
using MutualAuth.Tokens.Json;

namespace MutualAuth.Tokens.Keys;

/// <summary>A token of three parts (RFC 7515 §7.1) whose form is right; nothing that it says is verified until its signature is.</summary>
internal sealed class SignedToken : IDisposable
{
    internal const int MaxLength = 16_384;
    private const int MaxHeaderLength = 4096;

    private readonly string _token;
    private readonly JsonDocument _header;
    private readonly JsonDocument _claims;

    private SignedToken(string token, JsonDocument header, JsonDocument claims) => (_token, _header, _claims) = (token, header, claims);

    /// <summary>The algorithms that may be named at all: a token without a signature, or with one by a shared secret, is never accepted.</summary>
    internal static ImmutableArray<string> KnownAlgorithms { get; } =
        ["ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"];

    internal JsonElement Header => _header.RootElement;

    internal JsonElement Claims => _claims.RootElement;

    internal string? KeyId => Header.Text("kid");

    internal string? Algorithm => Header.Text("alg");

    /// <summary>Reads a token; null, and what was expected, for anything else.</summary>
    internal static (SignedToken? Token, string? Expected) Read(string token)
    {
        if (token.Length > MaxLength || token.Split('.') is not [var head, var body, { Length: > 0 }] || !IsBase64Url(token))
        {
            return (null, "a signed token of three parts (RFC 7515 §7.1)");
        }

        var (header, claims) = (ReadPart(head, MaxHeaderLength), ReadPart(body, MaxLength));
        if (header is not null && claims is not null)
        {
            return (new SignedToken(token, header, claims), null);
        }

        header?.Dispose();
        claims?.Dispose();
        return (null, "a header and claims that are JSON objects without a name twice");
    }

    /// <summary>Judges what the header says of the signature; the type is for others to judge.</summary>
    internal TokenVerdict? JudgeHeader(TokenPolicy policy, ImmutableArray<string> algorithms)
    {
        if (Algorithm is not { } algorithm || !algorithms.Contains(algorithm))
        {
            return policy.No(
                RejectionReason.TokenSignatureWrong, $"one of the algorithms {string.Join(", ", algorithms)}", Quoted.Text(Algorithm));
        }

        if (Header.Has("crit") || Header.Has("jwk") || Header.Has("jku") || Header.Has("x5u") || Header.Has("cty") || Header.Has("enc"))
        {
            return policy.No(
                RejectionReason.TokenInvalid,
                "a header without critical parameters and without keys of its own (RFC 8725 §3.10)",
                "one with crit, jwk, jku, x5u, cty or enc");
        }

        return Header.Has("kid") && KeyId is null
            ? policy.No(RejectionReason.TokenInvalid, "a kid that is a text", "something else")
            : null;
    }

    /// <summary>
    /// The key that has signed; null for none. The library checks the signature, with the algorithm and a key that we choose.
    /// </summary>
    internal IssuerKey? SignedBy(ImmutableArray<IssuerKey> keys)
    {
        var end = _token.LastIndexOf('.');
        try
        {
            var (signed, signature) = (Encoding.ASCII.GetBytes(_token[..end]), Base64Url.DecodeFromChars(_token.AsSpan(end + 1)));
            return signature.Length > 0 ? keys.FirstOrDefault(key => IsSignedBy(key.Key, Algorithm!, signed, signature)) : null;
        }
        catch (Exception exception) when (exception is FormatException or CryptographicException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        _header.Dispose();
        _claims.Dispose();
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

    private static bool IsBase64Url(string token) =>
        token.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.');

    private static JsonDocument? ReadPart(string part, int maxLength)
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
