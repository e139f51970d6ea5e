using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MutualAuth.Credentials;

namespace MutualAuth.Factors;

/// <summary>
/// What a store has of a user's recovery codes: <c>2;ITERATIONS;SALT;HASH,HASH</c>, where a hash is PBKDF2-HMAC-SHA-512 (RFC 8018 §5.2) over the
/// salted SHA-256 of a code. Versions of before stored that SHA-256 alone, as <c>1;SALT;HASH,HASH</c>.
/// </summary>
/// <remarks>
/// 80 bits are less than the 112 from which on one hash would do (NIST SP 800-63B-4 §3.1.2.2). One salt for the set lets a server derive once for
/// an attempt, whatever the number of codes. That the derivation begins at the earlier hash lets a set of before be rewritten without its codes.
/// </remarks>
/// <param name="Salt">The salt of the set.</param>
/// <param name="Iterations">How often PBKDF2 iterates; null in a set of before.</param>
/// <param name="Hashes">Those of the codes that are left, in Base64url.</param>
internal sealed record RecoveryCodeSet(byte[] Salt, int? Iterations, string[] Hashes)
{
    internal const int MaxCount = 50;

    private const string Before = "1";
    private const string Now = "2";
    private const int SaltLength = 16;
    private const int HashLength = 32;
    private const int HashTextLength = 43;

    /// <summary>The function under the derivation.</summary>
    internal static ScramHash Function => ScramHash.Sha512;

    /// <summary>What stays the same while codes are used, and when the set is rewritten.</summary>
    internal string Identity => $"{Before};{Base64Url.EncodeToString(Salt)}";

    internal static byte[] CreateSalt() => RandomNumberGenerator.GetBytes(SaltLength);

    /// <summary>Derives the hash of one code. It takes as long as a password's does; a server asks its own places for derivations instead.</summary>
    internal static string Derive(byte[] salt, int iterations, string first) => Base64Url.EncodeToString(
        Rfc2898DeriveBytes.Pbkdf2(Encoding.ASCII.GetBytes(first), salt, iterations, HashAlgorithmName.SHA512, HashLength));

    /// <summary>
    /// The same from a key that was derived elsewhere, and is wiped: a shorter key of PBKDF2 is the beginning of a longer one.
    /// </summary>
    internal static string TakeKey(byte[] key)
    {
        var hash = Base64Url.EncodeToString(key.AsSpan(0, HashLength));
        CryptographicOperations.ZeroMemory(key);
        return hash;
    }

    /// <summary>The salted SHA-256 of a code, from which the derivation begins.</summary>
    internal static string First(byte[] salt, string code) =>
        Base64Url.EncodeToString(SHA256.HashData([.. salt, .. Encoding.ASCII.GetBytes(code)]));

    internal StoredFactor ToFactor(string id = RecoveryCodes.FactorId)
    {
        var head = Iterations is { } count ? string.Create(CultureInfo.InvariantCulture, $"{Now};{count}") : Before;
        return new(id, RecoveryCodes.Kind, $"{head};{Base64Url.EncodeToString(Salt)};{string.Join(',', Hashes)}");
    }

    /// <exception cref="FormatException">It is something else. The message does not repeat it.</exception>
    internal static RecoveryCodeSet Read(StoredFactor factor) => TryRead(factor, out var set)
        ? set
        : throw new FormatException($"The factor {factor} is not of this version of the library, or not within its bounds. Make new codes.");

    /// <summary>Reads what a store has. Iterations out of their bounds are refused: nothing is ever derived with them.</summary>
    internal static bool TryRead(StoredFactor factor, [NotNullWhen(true)] out RecoveryCodeSet? set)
    {
        set = null;
        var (count, salt, hashes) = factor.Data.Split(';') switch
        {
            [Before, var text, var rest] => ((int?)null, text, rest),
            [Now, var number, var text, var rest] when int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var iterations)
                && iterations is >= ScramVerifier.MinIterations and <= ScramVerifier.MaxIterations => (iterations, text, rest),
            _ => (null, string.Empty, string.Empty),
        };
        string[] each = hashes.Split(',', StringSplitOptions.RemoveEmptyEntries);
        if (factor.Kind != RecoveryCodes.Kind
            || !Base64Url.IsValid(salt, out var length) || length != SaltLength
            || each.Length > MaxCount || !each.All(hash => hash.Length == HashTextLength && Base64Url.IsValid(hash)))
        {
            return false;
        }

        set = new RecoveryCodeSet(Base64Url.DecodeFromChars(salt), count, each);
        return true;
    }

    /// <summary>The set without a code; null when it is none of those that are left. Takes the same time whichever it is.</summary>
    internal RecoveryCodeSet? Without(string hash)
    {
        var mine = Encoding.ASCII.GetBytes(hash);
        string[] left = [.. Hashes.Where(each => !CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(each), mine))];
        return left.Length == Hashes.Length ? null : this with { Hashes = left };
    }
}
