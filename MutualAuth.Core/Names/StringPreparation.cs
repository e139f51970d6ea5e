namespace MutualAuth.Names;

/// <summary>Whether two texts may be equal by RFC 4518, which normalizes (NFKC) and removes characters without a visible form.</summary>
/// <remarks>
/// When in doubt the answer is yes: a character that becomes ASCII, or vanishes, may be anything, including nothing, together with the
/// spaces around it. For excluded names, where a wrong no would accept a peer.
/// </remarks>
internal static class StringPreparation
{
    // X.520 bounds its attributes at 64; the search is not made for much longer ones.
    private const int MaxLength = 256;

    // Characters that NFKC or the case folding of RFC 3454 table B.2 turns into text with ASCII in it, and characters that are mapped to
    // nothing or to a space. Whole blocks if most of their characters are such: punctuation to CJK compatibility, and from the surrogates
    // to the end of the plane.
    private static readonly (char First, char Last)[] s_soft =
    [
        ('\0', '\x1f'), ('\x7f', '\u00bf'), ('\u00df', '\u00df'), ('\u0130', '\u0133'), ('\u013f', '\u0140'), ('\u0149', '\u0149'),
        ('\u017f', '\u017f'), ('\u01c4', '\u01cc'),
        ('\u01f0', '\u01f3'), ('\u02b0', '\u02ff'), ('\u034f', '\u034f'), ('\u037a', '\u037e'), ('\u0384', '\u0385'), ('\u0600', '\u0605'),
        ('\u061c', '\u061c'),
        ('\u06dd', '\u06dd'), ('\u070f', '\u070f'), ('\u0890', '\u0891'), ('\u08e2', '\u08e2'), ('\u115f', '\u1160'), ('\u1680', '\u1680'),
        ('\u17b4', '\u17b5'),
        ('\u180b', '\u180f'), ('\u1d2c', '\u1dbf'), ('\u1e96', '\u1e9e'), ('\u1fbd', '\u1fc1'), ('\u1fcd', '\u1fcf'), ('\u1fdd', '\u1fdf'),
        ('\u1fed', '\u1fef'),
        ('\u1ffd', '\u1ffe'), ('\u2000', '\u33ff'), ('\ua7f2', '\ua7f4'), ('\ud800', '\uffff'),
    ];

    internal static bool MayBeSame(string one, string other)
    {
        if (one.Length > MaxLength || other.Length > MaxLength)
        {
            return true;
        }

        one = WithoutFullwidth(one);
        other = WithoutFullwidth(other);
        return (IsPlain(one), IsPlain(other)) switch
        {
            (true, true) => one == other,
            (false, true) => IsSoft(one) && Matches(one, other),
            (true, false) => IsSoft(other) && Matches(other, one),
            (false, false) => true,
        };
    }

    /// <summary>The fullwidth forms of ASCII as ASCII; the letters are in lower case already.</summary>
    private static string WithoutFullwidth(string text) => string.Create(text.Length, text, static (narrow, wide) =>
    {
        for (var i = 0; i < wide.Length; i++)
        {
            narrow[i] = wide[i] is >= '\uff01' and <= '\uff5e' ? (char)(wide[i] - 0xfee0) : wide[i];
        }
    });

    /// <summary>Whether no character stays beyond ASCII, whatever the preparation.</summary>
    private static bool IsSoft(string text)
    {
        foreach (var character in text)
        {
            if (character is not (>= ' ' and <= '~') && !Array.Exists(s_soft, range => character >= range.First && character <= range.Last))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsPlain(string text) => !text.AsSpan().ContainsAnyExceptInRange(' ', '~');

    /// <summary>
    /// Whether the printable pieces of <paramref name="odd"/> occur in <paramref name="plain"/> in their order, the first and the last at
    /// its ends.
    /// </summary>
    private static bool Matches(string odd, string plain)
    {
        var pieces = Pieces(odd);
        var rest = plain.AsSpan();
        if (!rest.StartsWith(pieces[0], StringComparison.Ordinal))
        {
            return false;
        }

        rest = rest[pieces[0].Length..];
        foreach (var piece in pieces[1..^1])
        {
            var at = rest.IndexOf(piece, StringComparison.Ordinal);
            if (at < 0)
            {
                return false;
            }

            rest = rest[(at + piece.Length)..];
        }

        return rest.EndsWith(pieces[^1], StringComparison.Ordinal);
    }

    /// <summary>The pieces between the runs of characters that may be anything; the first and the last may be empty.</summary>
    private static List<string> Pieces(string text)
    {
        var pieces = new List<string>();
        var begin = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is >= ' ' and <= '~')
            {
                continue;
            }

            var end = i;
            while (end > begin && text[end - 1] == ' ')
            {
                end--;
            }

            pieces.Add(text[begin..end]);
            while (i + 1 < text.Length && text[i + 1] is ' ' or < ' ' or > '~')
            {
                i++;
            }

            begin = i + 1;
        }

        pieces.Add(text[begin..]);
        return pieces;
    }
}
