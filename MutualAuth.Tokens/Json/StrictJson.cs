using System.Globalization;
using System.Text.Json;

namespace MutualAuth.Tokens.Json;

/// <summary>Reads JSON of an issuer's or a client's: one object, no name twice, bounded in depth.</summary>
internal static class StrictJson
{
    private const int MaxDepth = 8;
    private const long LastSecond = 253_402_300_799; // 9999-12-31T23:59:59Z

    private static readonly JsonDocumentOptions s_options = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    /// <summary>The object that the text is; null for anything else.</summary>
    internal static JsonDocument? ReadObject(ReadOnlyMemory<byte> utf8)
    {
        JsonDocument? document = null;
        try
        {
            document = JsonDocument.Parse(utf8, s_options);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return document;
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Not JSON, a name twice, too deep, or not UTF-8.
        }

        document?.Dispose();
        return null;
    }

    /// <summary>A member that is a text; null when it is missing, or something else.</summary>
    internal static string? Text(this JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? TextOf(value) : null;

    internal static bool Has(this JsonElement of, string name) => of.TryGetProperty(name, out _);

    /// <summary>A member that is a text or a list of texts, of <paramref name="max"/> at most; null when it is missing, or something else.</summary>
    internal static string[]? Texts(this JsonElement of, string name, int max)
    {
        if (!of.TryGetProperty(name, out var value))
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.String)
        {
            return TextOf(value) is { } only ? [only] : null;
        }

        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > max)
        {
            return null;
        }

        string[] texts = [.. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.String ? TextOf(item) : null).OfType<string>()];
        return texts.Length == value.GetArrayLength() ? texts : null;
    }

    /// <summary>A member that is a NumericDate (RFC 7519 §2), fractions cut; null when it is missing, or something else.</summary>
    internal static DateTimeOffset? Date(this JsonElement of, string name) =>
        of.TryGetProperty(name, out var value)
            && value.ValueKind == JsonValueKind.Number
            && value.TryGetDouble(out var seconds)
            && seconds >= 0 && seconds <= LastSecond
            ? DateTimeOffset.FromUnixTimeSeconds((long)seconds)
            : null;

    /// <summary>An instant for a message.</summary>
    internal static string Print(this DateTimeOffset instant) => instant.UtcDateTime.ToString("u", CultureInfo.InvariantCulture);

    private static string? TextOf(JsonElement value)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null; // not UTF-8, or half of a surrogate pair
        }
    }
}
