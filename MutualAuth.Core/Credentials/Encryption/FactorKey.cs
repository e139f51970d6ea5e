using System.Security.Cryptography;
using System.Text;

namespace MutualAuth.Credentials;

/// <summary>A key of 256 bits with which the data of second factors are encrypted in a store (AES-GCM, NIST SP 800-38D), and its name.</summary>
/// <remarks>
/// Each encryption draws a nonce of 96 bits at random: use a key for at most 2^32 encryptions (SP 800-38D §8.3); each use of a one-time code is one.
/// Immutable and safe to share. Its text form reveals nothing.
/// </remarks>
public sealed class FactorKey
{
    /// <summary>How many octets a key has.</summary>
    public const int Length = 32;

    private const int NonceLength = 12;
    private const int TagLength = 16;

    // Pinned, so that the garbage collector leaves no copies.
    private readonly byte[] _key = GC.AllocateUninitializedArray<byte>(Length, pinned: true);

    /// <summary>Takes a copy of a key.</summary>
    /// <param name="id">
    /// Names the key in what it encrypts, in the clear: 1 to 64 of letters, digits, '-', '_' and '.'. Never give two keys one name.
    /// </param>
    /// <param name="key">32 random octets.</param>
    /// <exception cref="ArgumentException"><paramref name="id"/> is not of that form, or <paramref name="key"/> has another length.</exception>
    public FactorKey(string id, ReadOnlySpan<byte> key)
    {
        Id = StoredFactor.IsId(id) ? id : throw new ArgumentException("Expected 1 to 64 of letters, digits, '-', '_' and '.'.", nameof(id));
        if (key.Length != Length)
        {
            throw new ArgumentException($"Expected {Length} octets, got {key.Length}.", nameof(key));
        }

        key.CopyTo(_key);
    }

    /// <summary>What names it in what it encrypts.</summary>
    public string Id { get; }

    /// <summary>Makes a random key.</summary>
    /// <param name="id">As for the constructor.</param>
    /// <exception cref="ArgumentException"><paramref name="id"/> is not of its form.</exception>
    public static FactorKey Create(string id)
    {
        Span<byte> key = stackalloc byte[Length];
        RandomNumberGenerator.Fill(key);
        try
        {
            return new FactorKey(id, key);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Names the key, and says nothing of it.</summary>
    public override string ToString() => $"the key {Id}";

    /// <summary>Reads a line of a <see cref="FactorKeyFile"/>.</summary>
    /// <exception cref="FormatException">It is something else. The message does not repeat it.</exception>
    internal static FactorKey Parse(string line)
    {
        var key = new byte[Length];
        try
        {
            return line.Split(':') is [var id, var text] && StoredFactor.IsId(id)
                && Convert.TryFromBase64String(text, key, out var length) && length == Length
                ? new FactorKey(id, key)
                : throw new FormatException($"Expected NAME:KEY, where KEY is {Length} octets in Base64.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>The line of a <see cref="FactorKeyFile"/>: the key itself.</summary>
    internal string ToLine() => $"{Id}:{Convert.ToBase64String(_key)}";

    /// <returns>Nonce, encrypted text and tag.</returns>
    internal byte[] Encrypt(string text, ReadOnlySpan<byte> associated)
    {
        var plain = Encoding.ASCII.GetBytes(text);
        var result = new byte[NonceLength + plain.Length + TagLength];
        RandomNumberGenerator.Fill(result.AsSpan(0, NonceLength));
        using var cipher = new AesGcm(_key, TagLength);
        cipher.Encrypt(result.AsSpan(0, NonceLength), plain, result.AsSpan(NonceLength, plain.Length), result.AsSpan(^TagLength..), associated);
        CryptographicOperations.ZeroMemory(plain);
        return result;
    }

    /// <returns>Null when it was not encrypted with this key and these associated data, or was altered.</returns>
    internal string? Decrypt(ReadOnlySpan<byte> encrypted, ReadOnlySpan<byte> associated)
    {
        if (encrypted.Length < NonceLength + TagLength)
        {
            return null;
        }

        var plain = new byte[encrypted.Length - NonceLength - TagLength];
        try
        {
            using var cipher = new AesGcm(_key, TagLength);
            cipher.Decrypt(encrypted[..NonceLength], encrypted[NonceLength..^TagLength], encrypted[^TagLength..], plain, associated);
            return Encoding.ASCII.GetString(plain);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);
        }
    }
}
