using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace MutualAuth.Names;

/// <summary>One public key, or the two keys of a connection, as digits that two people can compare over another channel.</summary>
/// <remarks>
/// A key is seven groups of five digits: the SHA-256 digest of its SubjectPublicKeyInfo as a big-endian number, modulo 10^35. Finding
/// another key with the same digits takes 2^116 attempts. For two keys, both are shown, the smaller one first, so that both people read the
/// same text. They are not hashed into one: a man in the middle chooses a key on either side, and with one number of this length only 2^58
/// attempts would make the two texts equal. Immutable.
/// </remarks>
public sealed class PeerFingerprint : IEquatable<PeerFingerprint>
{
    private const int DigitsPerKey = 35;
    private const int DigitsPerGroup = 5;

    private static readonly BigInteger s_modulus = BigInteger.Pow(10, DigitsPerKey);
    private static readonly NameProblem s_digits = new(
        "35 or 70 decimal digits, with spaces between them or without",
        "Read it out again; one key has seven groups of five digits, two keys have fourteen.");
    private static readonly NameProblem s_order = new("the smaller of the two keys first", "Read the first seven groups before the others.");

    private readonly string _digits;

    private PeerFingerprint(string digits) => _digits = digits;

    /// <summary>The fingerprint of one key.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> is null.</exception>
    public static PeerFingerprint Of(SpkiPin key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return new PeerFingerprint(DigitsOf(key));
    }

    /// <summary>The fingerprint of the two keys of a connection, in either order.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="one"/> or <paramref name="other"/> is null.</exception>
    public static PeerFingerprint OfBoth(SpkiPin one, SpkiPin other)
    {
        ArgumentNullException.ThrowIfNull(one);
        ArgumentNullException.ThrowIfNull(other);
        var (left, right) = (DigitsOf(one), DigitsOf(other));
        return new PeerFingerprint(string.CompareOrdinal(left, right) <= 0 ? left + right : right + left);
    }

    /// <summary>Reads typed digits: 35 or 70 ASCII digits; spaces and line ends between them are ignored.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    /// <exception cref="FormatException">The text is not a fingerprint.</exception>
    public static PeerFingerprint Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Read(text, out var fingerprint) is { } flaw ? throw flaw.ToException("a fingerprint", text) : fingerprint!;
    }

    /// <summary>Reads a fingerprint as <see cref="Parse"/> does; false for null and for any other text.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out PeerFingerprint? fingerprint)
    {
        fingerprint = null;
        return text is not null && Read(text, out fingerprint) is null;
    }

    /// <inheritdoc/>
    public bool Equals(PeerFingerprint? other) => other is not null && _digits == other._digits;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as PeerFingerprint);

    /// <inheritdoc/>
    public override int GetHashCode() => _digits.GetHashCode(StringComparison.Ordinal);

    /// <summary>Groups of five digits with a space between them, on one line.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(_digits.Length * 6 / DigitsPerGroup);
        for (var i = 0; i < _digits.Length; i += DigitsPerGroup)
        {
            text.Append(i == 0 ? string.Empty : " ").Append(_digits, i, DigitsPerGroup);
        }

        return text.ToString();
    }

    private static string DigitsOf(SpkiPin key)
    {
        Span<byte> digest = stackalloc byte[SpkiDigest.Size];
        key.Digest.CopyTo(digest);
        return (new BigInteger(digest, isUnsigned: true, isBigEndian: true) % s_modulus).ToString($"D{DigitsPerKey}", CultureInfo.InvariantCulture);
    }

    private static NameProblem? Read(string text, out PeerFingerprint? fingerprint)
    {
        fingerprint = null;
        var digits = new StringBuilder(2 * DigitsPerKey);
        foreach (var character in text)
        {
            if (char.IsAsciiDigit(character) && digits.Length < 2 * DigitsPerKey)
            {
                digits.Append(character);
            }
            else if (character is not (' ' or '\t' or '\r' or '\n'))
            {
                return s_digits;
            }
        }

        var read = digits.ToString();
        if (read.Length != DigitsPerKey && read.Length != 2 * DigitsPerKey)
        {
            return s_digits;
        }

        if (read.Length > DigitsPerKey && string.CompareOrdinal(read, 0, read, DigitsPerKey, DigitsPerKey) > 0)
        {
            return s_order;
        }

        fingerprint = new PeerFingerprint(read);
        return null;
    }
}
