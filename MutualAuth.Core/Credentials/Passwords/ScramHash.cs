using System.Security.Cryptography;

namespace MutualAuth.Credentials;

/// <summary>The hash of a SCRAM mechanism, and the functions of RFC 5802 §2.2 over it, by the names that they have there.</summary>
public sealed class ScramHash
{
    private readonly HashAlgorithmName _algorithm;

    private ScramHash(string mechanism, HashAlgorithmName algorithm, int length, int defaultIterations)
    {
        DefaultIterations = defaultIterations;
        Mechanism = mechanism;
        _algorithm = algorithm;
        Length = length;
    }

    /// <summary>SCRAM-SHA-256 (RFC 7677).</summary>
    public static ScramHash Sha256 { get; } = new("SCRAM-SHA-256", HashAlgorithmName.SHA256, SHA256.HashSizeInBytes, ScramVerifier.DefaultIterations);

    /// <summary>SCRAM-SHA-512.</summary>
    public static ScramHash Sha512 { get; } = new("SCRAM-SHA-512", HashAlgorithmName.SHA512, SHA512.HashSizeInBytes, defaultIterations: 220_000);

    /// <summary>All of them, the one that every store has first.</summary>
    internal static ScramHash[] All => [Sha256, Sha512];

    /// <summary>The mechanism's name without <c>-PLUS</c>.</summary>
    public string Mechanism { get; }

    /// <summary>The length of the hash in octets.</summary>
    public int Length { get; }

    /// <summary>
    /// The iterations of new verifiers with this hash, as OWASP asks for them (Password Storage Cheat Sheet, 2025): 600,000 for SHA-256,
    /// 220,000 for SHA-512.
    /// </summary>
    public int DefaultIterations { get; }

    /// <summary>The mechanism's name.</summary>
    public override string ToString() => Mechanism;

    internal static ScramHash? ByMechanism(ReadOnlySpan<char> mechanism) =>
        mechanism.SequenceEqual(Sha256.Mechanism) ? Sha256 : mechanism.SequenceEqual(Sha512.Mechanism) ? Sha512 : null;

    /// <summary>HMAC(key, str).</summary>
    internal byte[] Hmac(ReadOnlySpan<byte> key, ReadOnlySpan<byte> text) => CryptographicOperations.HmacData(_algorithm, key, text);

    /// <summary>H(str).</summary>
    internal byte[] H(ReadOnlySpan<byte> text) => CryptographicOperations.HashData(_algorithm, text);

    /// <summary>Hi(str, salt, i), which is PBKDF2 (RFC 8018 §5.2). Only <see cref="KeyDerivation"/> calls it, because it is what costs.</summary>
    internal byte[] Hi(ReadOnlySpan<byte> text, ReadOnlySpan<byte> salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(text, salt, iterations, _algorithm, Length);

    /// <summary>ClientKey := HMAC(SaltedPassword, "Client Key").</summary>
    internal byte[] ClientKey(ReadOnlySpan<byte> saltedPassword) => Hmac(saltedPassword, "Client Key"u8);

    /// <summary>ServerKey := HMAC(SaltedPassword, "Server Key").</summary>
    internal byte[] ServerKey(ReadOnlySpan<byte> saltedPassword) => Hmac(saltedPassword, "Server Key"u8);

    /// <summary>The left operand becomes the exclusive or of both.</summary>
    internal static void Xor(Span<byte> left, ReadOnlySpan<byte> right)
    {
        for (var at = 0; at < left.Length; at++)
        {
            left[at] ^= right[at];
        }
    }
}
