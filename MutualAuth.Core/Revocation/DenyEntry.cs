using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Names;

namespace MutualAuth.Revocation;

/// <summary>An entry of a deny list: a certificate, a key, or a serial number.</summary>
/// <remarks>Immutable. The text form is one line, as <see cref="Parse"/> reads it.</remarks>
public sealed class DenyEntry
{
    // RFC 5280 allows 20 octets; some authorities use more.
    internal const int MaxSerialDigits = 256;
    private const int DigestDigits = 2 * SpkiDigest.Size;

    private DenyEntry(string text) => Text = text;

    internal string? SerialNumber { get; private init; }

    internal DistinguishedName? Issuer { get; private init; }

    internal SpkiPin? PublicKey { get; private init; }

    /// <summary>The digest of a whole encoding, the signature included.</summary>
    internal SpkiDigest? Digest { get; private init; }

    /// <summary>The digest of the signed part, which the holder of the certificate cannot change.</summary>
    internal SpkiDigest? SignedDigest { get; private init; }

    private string Text { get; }

    /// <summary>Every certificate with this serial number, of any issuer.</summary>
    /// <param name="hex">Hexadecimal digits; colons between them, leading zeros and letter case are ignored.</param>
    /// <exception cref="FormatException">The text is not a serial number.</exception>
    public static DenyEntry Serial(string hex) => TrySerial(hex, issuer: null, out var entry) ? entry : throw Malformed($"serial {hex}");

    /// <summary>The certificate with this serial number of one issuer, as in a CRL.</summary>
    /// <param name="issuer">The name of the authority that issued it.</param>
    /// <param name="hex">Hexadecimal digits; colons between them, leading zeros and letter case are ignored.</param>
    /// <exception cref="ArgumentNullException"><paramref name="issuer"/> is null.</exception>
    /// <exception cref="FormatException">The text is not a serial number.</exception>
    public static DenyEntry Serial(DistinguishedName issuer, string hex)
    {
        ArgumentNullException.ThrowIfNull(issuer);
        return TrySerial(hex, issuer, out var entry) ? entry : throw Malformed($"serial {hex}");
    }

    /// <summary>Every certificate with this key, including an authority's: use it when a key has leaked.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> is null.</exception>
    public static DenyEntry Key(SpkiPin key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return new DenyEntry($"key {key}") { PublicKey = key };
    }

    /// <summary>
    /// One certificate, by content that its holder cannot change: the SHA-256 of its TBSCertificate, or its key if it is self-signed.
    /// </summary>
    /// <remarks>The holder of a self-signed certificate can create any number of others: only an entry for the key rejects them all.</remarks>
    /// <exception cref="ArgumentNullException"><paramref name="certificate"/> is null.</exception>
    public static DenyEntry Certificate(Certificate certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        if (certificate.IsSelfIssued && certificate.PublicKey.Verify(certificate.Scheme, certificate.Signed.Span, certificate.Signature.Span))
        {
            return Key(SpkiPin.OfSubjectPublicKeyInfo(certificate.SubjectPublicKeyInfo.Span));
        }

        return Tbs(new SpkiDigest(SHA256.HashData(certificate.Signed.Span)));
    }

    /// <summary>
    /// One certificate, by the SHA-256 of its encoding, as tools print it. An ECDSA-signed certificate is also found in its second
    /// encoding.
    /// </summary>
    /// <remarks>
    /// The signature is a part of the encoding and is not itself signed: the holder of an ECDSA-signed certificate can replace (r, s) by
    /// (r, n - s). Both are looked up. This entry never matches a self-signed certificate, because its holder can sign another one: deny
    /// its key.
    /// </remarks>
    /// <param name="sha256">64 hexadecimal digits; colons between them and letter case are ignored.</param>
    /// <exception cref="FormatException">The text is not such a digest.</exception>
    public static DenyEntry Certificate(string sha256) => TryCertificate(sha256, out var entry) ? entry : throw Malformed($"certificate {sha256}");

    /// <summary>
    /// Reads one line: <c>serial HEX</c>, <c>serial HEX issuer DN</c> (RFC 4514), <c>key sha256/BASE64</c>, <c>tbs SHA-256-HEX</c> or
    /// <c>certificate SHA-256-HEX</c>.
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="line"/> is null.</exception>
    /// <exception cref="FormatException">The line is none of these.</exception>
    public static DenyEntry Parse(string line)
    {
        ArgumentNullException.ThrowIfNull(line);
        return TryParse(line, out var entry) ? entry : throw Malformed(line);
    }

    /// <summary>Reads one line as <see cref="Parse"/> does; false when it is not an entry.</summary>
    public static bool TryParse([NotNullWhen(true)] string? line, [NotNullWhen(true)] out DenyEntry? entry)
    {
        entry = null;
        var words = line?.Split(' ', 4, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
        return words switch
        {
            ["serial", var hex] => TrySerial(hex, issuer: null, out entry),
            ["serial", var hex, "issuer", var name] => DistinguishedName.TryParse(name, out var issuer) && TrySerial(hex, issuer, out entry),
            ["key", var text] => SpkiPin.TryParse(text, out var key) && (entry = Key(key)) is not null,
            ["tbs", var hex] => TryDigest(hex, out var signed) && (entry = Tbs(signed)) is not null,
            ["certificate", var hex] => TryCertificate(hex, out entry),
            _ => false,
        };
    }

    /// <summary>The line that <see cref="Parse"/> reads.</summary>
    public override string ToString() => Text;

    /// <summary>The digits by which serial numbers are compared: upper case, without leading zero octets.</summary>
    internal static string Normalize(ReadOnlySpan<byte> serial) => Convert.ToHexString(serial.TrimStart((byte)0));

    private static bool TrySerial(string? hex, DistinguishedName? issuer, [NotNullWhen(true)] out DenyEntry? entry)
    {
        entry = null;
        if (Octets(hex, 1, MaxSerialDigits) is not { } octets)
        {
            return false;
        }

        var digits = Normalize(octets);
        entry = new DenyEntry(issuer is null ? $"serial {digits}" : $"serial {digits} issuer {issuer}") { SerialNumber = digits, Issuer = issuer };
        return true;
    }

    private static bool TryCertificate(string? hex, [NotNullWhen(true)] out DenyEntry? entry)
    {
        entry = TryDigest(hex, out var digest) ? new DenyEntry($"certificate {TextOf(digest)}") { Digest = digest } : null;
        return entry is not null;
    }

    private static DenyEntry Tbs(SpkiDigest digest) => new($"tbs {TextOf(digest)}") { SignedDigest = digest };

    private static bool TryDigest(string? hex, out SpkiDigest digest)
    {
        // One that has lost a digit would deny no certificate.
        var octets = Octets(hex, DigestDigits, DigestDigits);
        digest = octets is null ? default : new SpkiDigest(octets);
        return octets is not null;
    }

    private static string TextOf(SpkiDigest digest)
    {
        Span<byte> octets = stackalloc byte[SpkiDigest.Size];
        digest.CopyTo(octets);
        return Convert.ToHexString(octets);
    }

    private static byte[]? Octets(string? hex, int minDigits, int maxDigits)
    {
        var digits = hex?.Replace(":", string.Empty, StringComparison.Ordinal) ?? string.Empty;
        if (digits.Length < minDigits || digits.Length > maxDigits || !digits.All(char.IsAsciiHexDigit))
        {
            return null;
        }

        return Convert.FromHexString(digits.Length % 2 == 0 ? digits : "0" + digits);
    }

    private static FormatException Malformed(string line) => new(
        $"Not an entry of a deny list: {SafeText.Quote(line)}. Write serial HEX, serial HEX issuer DN, key sha256/BASE64, tbs SHA-256-HEX, or "
            + "certificate SHA-256-HEX.");
}
