using System.Globalization;
using System.Text;

namespace MutualAuth.Directories;

/// <summary>Text that another program chose, made safe to print: quoted, escaped and truncated.</summary>
internal static class Quoted
{
    private const int MaxLength = 256;

    internal static string Text(string text)
    {
        var safe = new StringBuilder(Math.Min(text.Length, MaxLength) + 2).Append('"');
        foreach (var character in text.AsSpan(0, Math.Min(text.Length, MaxLength)))
        {
            if (character is >= ' ' and <= '~' and not ('"' or '\\'))
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
}
