using System.Buffers;
using System.Globalization;
using System.Text;

namespace MutualAuth.Errors;

/// <summary>Makes text that a peer chose safe to print: no control, format or surrogate character survives, and length is bounded.</summary>
internal static class SafeText
{
    private const int MaxLength = 256;
    private const int MaxTokenLength = 2048; // the longest SPIFFE ID

    // ASCII that prints, without the space and the per cent sign.
    private static readonly SearchValues<char> s_asTheyAre = SearchValues.Create(
        string.Concat(Enumerable.Range('!', '~' - '!' + 1).Select(value => (char)value).Where(character => character != '%')));

    /// <summary>
    /// Quotes <paramref name="text"/>, escapes characters that are not plainly printable as <c>\uXXXX</c> and truncates it to 256 characters.
    /// </summary>
    internal static string Quote(string? text)
    {
        if (text is null)
        {
            return "nothing";
        }

        var safe = new StringBuilder(Math.Min(text.Length, MaxLength) + 2).Append('"');
        foreach (var character in text.AsSpan(0, Math.Min(text.Length, MaxLength)))
        {
            if (character is '"' or '\\')
            {
                safe.Append('\\').Append(character);
            }
            else if (IsPrintable(character))
            {
                safe.Append(character);
            }
            else
            {
                safe.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
            }
        }

        return safe.Append(text.Length > MaxLength ? "…\"" : "\"").ToString();
    }

    /// <summary>
    /// One token without spaces: characters that are not plainly printable, and the per cent sign, are percent-encoded as UTF-8 (RFC 3986 §2.1).
    /// </summary>
    internal static string PercentEncode(string text)
    {
        if (text.Length <= MaxTokenLength && !text.AsSpan().ContainsAnyExcept(s_asTheyAre))
        {
            return text;
        }

        var token = new StringBuilder(text.Length);
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in text.AsSpan(0, Math.Min(text.Length, MaxTokenLength)).EnumerateRunes())
        {
            if (rune.Value != ' ' && rune.Value != '%' && (rune.IsAscii ? IsPrintable((char)rune.Value) : Rune.IsLetterOrDigit(rune)))
            {
                token.Append(rune.ToString());
                continue;
            }

            foreach (var octet in utf8[..rune.EncodeToUtf8(utf8)])
            {
                token.Append(CultureInfo.InvariantCulture, $"%{octet:X2}");
            }
        }

        return token.ToString();
    }

    private static bool IsPrintable(char character) =>
        character is >= ' ' and <= '~' || (character > 0x7f && char.IsLetterOrDigit(character));
}
