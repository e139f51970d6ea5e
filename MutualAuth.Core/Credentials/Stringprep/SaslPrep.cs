using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace MutualAuth.Credentials;

/// <summary>The SASLprep profile (RFC 4013): brings user names and passwords into the one form in which they are compared and hashed.</summary>
internal static class SaslPrep
{
    /// <summary>The maximum number of characters to prepare; no valid name or password is longer.</summary>
    internal const int MaxLength = 1024;

    /// <summary>Prepares a name.</summary>
    /// <param name="text">As it was typed, or as a peer sent it.</param>
    /// <param name="allowUnassigned">True for queries, false for strings that are going to be stored (RFC 3454 §7).</param>
    /// <param name="prepared">The form to use.</param>
    /// <returns>False when the text holds what the profile prohibits, or nothing is left of it.</returns>
    internal static bool TryPrepare(string text, bool allowUnassigned, [NotNullWhen(true)] out string? prepared)
    {
        prepared = null;
        if (!TryPrepareUtf8(text, allowUnassigned, out var utf8))
        {
            return false;
        }

        prepared = Encoding.UTF8.GetString(utf8);
        return true;
    }

    /// <summary>Prepares a secret; what lies between is wiped. The caller wipes the result.</summary>
    internal static bool TryPrepareUtf8(ReadOnlySpan<char> text, bool allowUnassigned, [NotNullWhen(true)] out byte[]? utf8)
    {
        utf8 = null;
        if (text.Length is 0 or > MaxLength)
        {
            return false;
        }

        if (Ascii.IsValid(text))
        {
            utf8 = text.ContainsAnyInRange('\0', '\x1f') || text.Contains('\x7f') ? null : GetUtf8(text);
            return utf8 is not null;
        }

        var codes = new List<int>(MaxLength * NormalizationKC.MaxExpansion);
        try
        {
            var isPrepared = TryMap(text, codes) && TryNormalize(codes, allowUnassigned);
            utf8 = isPrepared ? GetUtf8(codes) : null;
            return isPrepared;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(codes)));
        }
    }

    /// <summary>RFC 4013 §2.1: spaces of every kind become one kind; what has no visible form vanishes.</summary>
    private static bool TryMap(ReadOnlySpan<char> text, List<int> codes)
    {
        var unicode = UnicodeVersion32.Instance;
        while (!text.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(text, out var rune, out var length) != OperationStatus.Done)
            {
                return false;
            }

            text = text[length..];
            if (unicode.IsMappedToSpace(rune))
            {
                codes.Add(' ');
            }
            else if (!unicode.IsMappedToNothing(rune))
            {
                codes.Add(rune.Value);
            }
        }

        return codes.Count > 0;
    }

    /// <summary>RFC 4013 §2.2 to §2.5: normalization, prohibited output, bidirectional text, unassigned code points.</summary>
    private static bool TryNormalize(List<int> codes, bool allowUnassigned)
    {
        var unicode = UnicodeVersion32.Instance;
        NormalizationKC.Apply(codes, unicode);
        var (rightToLeft, leftToRight) = (false, false);
        foreach (var code in codes)
        {
            var rune = new Rune(code);
            if (unicode.IsProhibited(rune) || (!allowUnassigned && unicode.IsUnassigned(rune)))
            {
                return false;
            }

            rightToLeft |= unicode.IsRightToLeft(rune);
            leftToRight |= unicode.IsLeftToRight(rune);
        }

        // RFC 3454 §6.
        return !rightToLeft || (!leftToRight && unicode.IsRightToLeft(new Rune(codes[0])) && unicode.IsRightToLeft(new Rune(codes[^1])));
    }

    private static byte[] GetUtf8(ReadOnlySpan<char> ascii)
    {
        var utf8 = new byte[ascii.Length];
        Encoding.ASCII.GetBytes(ascii, utf8);
        return utf8;
    }

    private static byte[] GetUtf8(List<int> codes)
    {
        var utf8 = new byte[codes.Sum(code => new Rune(code).Utf8SequenceLength)];
        var at = 0;
        foreach (var code in codes)
        {
            at += new Rune(code).EncodeToUtf8(utf8.AsSpan(at));
        }

        return utf8;
    }
}
