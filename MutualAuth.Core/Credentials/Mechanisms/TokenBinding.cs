using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MutualAuth.Certificates;

namespace MutualAuth.Credentials;

/// <summary>Holds a token to the certificate that it is bound to (RFC 8705 §3.1).</summary>
internal static class TokenBinding
{
    private const string Rule = "RFC 8705 §3";
    private const int MaxClaimLength = 1024;

    /// <summary>Judges the <c>cnf</c> claim of a token against the certificate that the client has proven to hold.</summary>
    /// <returns>Null when they belong together, or the token is unbound and may be.</returns>
    internal static Rejection? Examine(string? confirmationClaim, Certificate? certificate, bool acceptsUnbound)
    {
        if (confirmationClaim is null)
        {
            return acceptsUnbound ? null : NotBound("a token that is bound to the client's certificate", "one without a cnf claim");
        }

        if (ReadThumbprint(confirmationClaim) is not { } thumbprint)
        {
            // Another confirmation method, or a malformed one: the token is bound, but it is unknown to what.
            return NotBound("a cnf claim that holds x5t#S256 and nothing else", "another");
        }

        if (certificate is null)
        {
            return NotBound("the certificate that the token is bound to", "none");
        }

        return CryptographicOperations.FixedTimeEquals(SHA256.HashData(certificate.RawData.Span), thumbprint)
            ? null
            : NotBound("a token that is bound to this certificate", "one that is bound to another");
    }

    /// <summary>The 32 octets of a well-formed claim; null for an empty one, an array, more than one method, or anything else.</summary>
    private static byte[]? ReadThumbprint(string claim)
    {
        if (claim.Length > MaxClaimLength)
        {
            return null;
        }

        try
        {
            var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(claim), new JsonReaderOptions { MaxDepth = 2 });
            if (!reader.Read()
                || reader.TokenType != JsonTokenType.StartObject
                || !reader.Read()
                || reader.TokenType != JsonTokenType.PropertyName
                || !reader.ValueTextEquals("x5t#S256"u8)
                || !reader.Read() || reader.TokenType != JsonTokenType.String)
            {
                return null;
            }

            var text = reader.GetString()!;
            const int TextLength = 43;
            return reader.Read()
                && reader.TokenType == JsonTokenType.EndObject
                && !reader.Read()
                && text.Length == TextLength
                && Base64Url.DecodeFromChars(text) is { Length: SHA256.HashSizeInBytes } octets
                ? octets
                : null;
        }
        catch (Exception exception) when (exception is JsonException or FormatException or InvalidOperationException)
        {
            return null;
        }
    }

    private static Rejection NotBound(string expected, string presented) =>
        new(RejectionReason.TokenNotBoundToCertificate, expected, presented) { Rule = Rule };
}
