using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace MutualAuth.Credentials;

/// <summary>
/// Normalization form KC (Unicode Standard Annex 15) over Unicode 3.2: decompose for compatibility, order the marks, compose again.
/// </summary>
internal static class NormalizationKC
{
    /// <summary>The most code points that one decomposes to (U+FDFA).</summary>
    internal const int MaxExpansion = 18;

    // Unicode Standard §3.12: Hangul syllables are computed, not listed.
    private const int SyllableBase = 0xAC00;
    private const int LeadBase = 0x1100;
    private const int VowelBase = 0x1161;
    private const int TailBase = 0x11A7;
    private const int LeadCount = 19;
    private const int VowelCount = 21;
    private const int TailCount = 28;
    private const int SyllableCount = LeadCount * VowelCount * TailCount;

    /// <summary>Normalizes code points in place.</summary>
    internal static void Apply(List<int> codes, UnicodeVersion32 unicode)
    {
        var decomposed = new List<int>(codes.Count * MaxExpansion); // never grows: what it holds may be a password, and is wiped
        foreach (var code in codes)
        {
            Decompose(code, unicode, decomposed);
        }

        OrderMarks(decomposed, unicode);
        Compose(decomposed, unicode);
        codes.Clear();
        codes.AddRange(decomposed);
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(decomposed)));
    }

    private static void Decompose(int code, UnicodeVersion32 unicode, List<int> output)
    {
        if (code - SyllableBase is >= 0 and < SyllableCount and var index)
        {
            output.Add(LeadBase + (index / (VowelCount * TailCount)));
            output.Add(VowelBase + (index % (VowelCount * TailCount) / TailCount));
            if (index % TailCount != 0)
            {
                output.Add(TailBase + (index % TailCount));
            }
        }
        else if (unicode.DecompositionOf(code) is { } mapping)
        {
            foreach (var part in mapping)
            {
                Decompose(part, unicode, output);
            }
        }
        else
        {
            output.Add(code);
        }
    }

    /// <summary>
    /// Puts each run of combining marks in the order of their classes; equal classes keep theirs. Input is bounded, so is the work.
    /// </summary>
    private static void OrderMarks(List<int> codes, UnicodeVersion32 unicode)
    {
        for (var at = 1; at < codes.Count; at++)
        {
            var mark = codes[at];
            var order = unicode.ClassOf(mark);
            var to = at;
            while (order != 0 && to > 0 && unicode.ClassOf(codes[to - 1]) > order)
            {
                codes[to] = codes[to - 1];
                to--;
            }

            codes[to] = mark;
        }
    }

    private static void Compose(List<int> codes, UnicodeVersion32 unicode)
    {
        var starterAt = -1;
        var lastClass = -1;
        var length = 0;
        for (var at = 0; at < codes.Count; at++)
        {
            var code = codes[at];
            var order = unicode.ClassOf(code);
            if (starterAt >= 0 && lastClass < order && TryCompose(codes[starterAt], code, unicode, out var composed))
            {
                codes[starterAt] = composed;
                continue;
            }

            if (order == 0)
            {
                starterAt = length;
                lastClass = -1;
            }
            else
            {
                lastClass = order;
            }

            codes[length++] = code;
        }

        CollectionsMarshal.AsSpan(codes)[length..].Clear();
        codes.RemoveRange(length, codes.Count - length);
    }

    private static bool TryCompose(int starter, int next, UnicodeVersion32 unicode, out int composed)
    {
        if (starter - LeadBase is >= 0 and < LeadCount and var lead && next - VowelBase is >= 0 and < VowelCount and var vowel)
        {
            composed = SyllableBase + (((lead * VowelCount) + vowel) * TailCount);
            return true;
        }

        if (starter - SyllableBase is >= 0 and < SyllableCount and var syllable
            && syllable % TailCount == 0
            && next - TailBase is > 0 and < TailCount and var tail)
        {
            composed = starter + tail;
            return true;
        }

        return unicode.TryCompose(starter, next, out composed);
    }
}
