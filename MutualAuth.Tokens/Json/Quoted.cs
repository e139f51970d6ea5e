using System.Globalization;
using System.Text;

namespace MutualAuth.Tokens.Json;

/// <summary>Text that an issuer or a client chose, made safe to print: quoted, escaped and cut.</summary>
internal static class Quoted
{
    private const int MaxLength = 128;

    internal static string Text(string? text)
    {
        if (text is null)
        {
            return "none";
        }

        var safe = new StringBuilder().Append('"');
        foreach (var character in text.AsSpan(0, Math.Min(text.Length, MaxLength)))
        {
            _ = character is >= ' ' and <= '~' and not ('"' or '\\')
                ? safe.Append(character)
                : safe.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
        }

        return safe.Append(text.Length > MaxLength ? "…\"" : "\"").ToString();
    }

    /// <summary>The error code of an OAuth answer (RFC 6749 §5.2) if it has the form of one.</summary>
    internal static string? Code(string? text) =>
        text is { Length: > 0 and <= 64 } && text.All(character => char.IsAsciiLetterLower(character) || character is '_') ? text : null;
}
