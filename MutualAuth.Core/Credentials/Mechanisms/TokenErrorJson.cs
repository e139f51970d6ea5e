using System.Buffers;
using System.Text;
using System.Text.Json;
using MutualAuth.Errors;

namespace MutualAuth.Credentials;

/// <summary>The error of RFC 7628 §3.2.2 as the JSON text that goes over the wire.</summary>
internal static class TokenErrorJson
{
    private const int MaxLength = 8192;

    internal static byte[] Write(TokenError error)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("status"u8, error.Status);
        if (error.Scope is { } scope)
        {
            json.WriteString("scope"u8, scope);
        }

        if (error.OpenIdConfiguration is { } configuration)
        {
            json.WriteString("openid-configuration"u8, configuration);
        }

        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads what a server sent. Members that are not well-formed are dropped; null for anything but an object with a status.</summary>
    internal static TokenError? Read(ReadOnlySpan<byte> text)
    {
        if (text.Length > MaxLength)
        {
            return null;
        }

        try
        {
            var options = new JsonDocumentOptions { MaxDepth = 4, AllowDuplicateProperties = false };
            using var document = JsonDocument.Parse(text.ToArray(), options);
            var root = document.RootElement;
            return root.ValueKind == JsonValueKind.Object && Member(root, "status"u8, TokenError.IsStatus) is { } status
                ? new TokenError
                {
                    Status = status,
                    Scope = Member(root, "scope"u8, TokenError.IsScope),
                    OpenIdConfiguration = Member(root, "openid-configuration"u8, TokenError.IsAddress),
                }
                : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or DecoderFallbackException)
        {
            return null;
        }
    }

    private static string? Member(JsonElement of, ReadOnlySpan<byte> name, Func<string, bool> isWellFormed) =>
        of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { } text && isWellFormed(text)
            ? text
            : null;
}
