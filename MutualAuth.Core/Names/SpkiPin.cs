using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MutualAuth.Names;

/// <summary>The SHA-256 digest of a public key with its algorithm, written <c>sha256/BASE64</c> (the digest of RFC 7469 §2.4).</summary>
/// <remarks>Immutable. It names a key, not a certificate: it stays the same when the certificate is renewed with the same key.</remarks>
public sealed class SpkiPin : IEquatable<SpkiPin>
{
    private const string Prefix = "sha256/";
    private const int Base64Length = 44;

    private static readonly NameProblem s_prefix = new(
        "sha256/ and the base64 of a SHA-256 digest", "Write the pin as sha256/, one slash, then 44 characters of base64.");
    private static readonly NameProblem s_digest = new(
        "the canonical base64 of exactly 32 bytes behind sha256/, with its padding",
        "Copy the pin again; it has 44 characters after the slash and ends in one =.");

    internal SpkiPin(SpkiDigest digest) => Digest = digest;

    internal SpkiDigest Digest { get; }

    /// <summary>Reads <c>sha256/</c> and 44 characters of canonical base64 (RFC 4648 §4).</summary>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="text"/> is not a pin.</exception>
    public static SpkiPin Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Read(text, out var pin) is { } flaw ? throw flaw.ToException("a public key pin", text) : pin!;
    }

    /// <summary>Reads a pin as <see cref="Parse"/> does; false for null and for any other text.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out SpkiPin? pin)
    {
        pin = null;
        return text is not null && Read(text, out pin) is null;
    }

    /// <summary>Pins a key by its SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).</summary>
    /// <param name="der">The structure in DER; it is hashed as it is and not parsed.</param>
    public static SpkiPin OfSubjectPublicKeyInfo(ReadOnlySpan<byte> der)
    {
        Span<byte> sha256 = stackalloc byte[SpkiDigest.Size];
        SHA256.HashData(der, sha256);
        return new SpkiPin(new SpkiDigest(sha256));
    }

    /// <summary>Pins the key that <paramref name="certificate"/> carries.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="certificate"/> is null.</exception>
    public static SpkiPin Of(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return OfSubjectPublicKeyInfo(certificate.PublicKey.ExportSubjectPublicKeyInfo());
    }

    /// <summary>Compares in constant time, so that timing does not reveal the position of a difference.</summary>
    public bool Equals(SpkiPin? other) => other is not null && Digest.Equals(other.Digest);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as SpkiPin);

    /// <inheritdoc/>
    public override int GetHashCode() => Digest.GetHashCode();

    /// <summary>The pin as <see cref="Parse"/> reads it.</summary>
    public override string ToString() => Prefix + Digest;

    private static NameProblem? Read(string text, out SpkiPin? pin)
    {
        pin = null;
        if (!text.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return s_prefix;
        }

        var base64 = text.AsSpan(Prefix.Length);
        Span<byte> sha256 = stackalloc byte[SpkiDigest.Size];
        if (base64.Length != Base64Length || !Convert.TryFromBase64Chars(base64, sha256, out var written) || written != SpkiDigest.Size)
        {
            return s_digest;
        }

        // The decoder ignores white space and stray bits; one key must have one spelling.
        var digest = new SpkiDigest(sha256);
        if (!base64.SequenceEqual(digest.ToString()))
        {
            return s_digest;
        }

        pin = new SpkiPin(digest);
        return null;
    }
}
