using System.Buffers.Text;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using MutualAuth.Credentials;

namespace MutualAuth.Factors;

/// <summary>Codes that a user keeps on paper for the day on which the device is lost. A store has salted hashes of them alone.</summary>
public static class RecoveryCodes
{
    /// <summary>What <see cref="StoredFactor.Kind"/> says of such factors.</summary>
    public const string Kind = "recovery";

    /// <summary>The identifier of a user's set of recovery codes: there is one set.</summary>
    public const string FactorId = "recovery";

    private const string Version = "1";
    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; // Crockford's: without I, L, O and U
    private const int Length = 16; // 80 bits: a hash cannot be searched, so that one round of it is enough
    private const int GroupLength = 4;
    private const int MaxCount = 50;
    private const int SaltLength = 16;

    /// <summary>Makes new codes for a user, in the place of those that there were.</summary>
    /// <param name="store">The store.</param>
    /// <param name="userName">The user, in any form.</param>
    /// <param name="count">How many: 1 to 50.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The codes, such as <c>7Q2M-WX0D-9KFA-3HTC</c>. Show them to the user once; nothing can tell them again.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="store"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="userName"/> is no name for a user.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is out of its bounds.</exception>
    public static async ValueTask<ImmutableArray<string>> CreateAsync(
        ISecondFactorStore store, string userName, int count = 10, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, MaxCount);
        string[] codes = [.. Enumerable.Range(0, count).Select(_ => RandomNumberGenerator.GetString(Alphabet, Length))];
        var salt = RandomNumberGenerator.GetBytes(SaltLength);
        await store.SetFactorAsync(userName, ToFactor(salt, codes.Select(code => HashOf(salt, code))), cancellationToken).ConfigureAwait(false);
        return [.. codes.Select(code => string.Join('-', code.Chunk(GroupLength).Select(group => new string(group))))];
    }

    /// <summary>How many of a user's codes have not been used.</summary>
    /// <param name="store">The store.</param>
    /// <param name="userName">The user, in any form.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentNullException"><paramref name="store"/> is null.</exception>
    public static async ValueTask<int> CountAsync(ISecondFactorStore store, string userName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        var factors = await store.FindFactorsAsync(UserNames.Prepare(userName), cancellationToken).ConfigureAwait(false);
        return factors.Where(factor => factor.Kind == Kind).Sum(factor => Read(factor).Hashes.Length);
    }

    /// <summary>Takes a code as people type it: case and hyphens do not count, and letters that look like digits are these.</summary>
    /// <returns>Null when it cannot be a code.</returns>
    internal static string? Normalize(string typed)
    {
        var code = new StringBuilder(Length);
        foreach (var character in typed)
        {
            var plain = char.ToUpperInvariant(character) switch { 'O' => '0', 'I' or 'L' => '1', var other => other };
            if (plain is '-' or ' ')
            {
                continue;
            }

            if (!Alphabet.Contains(plain, StringComparison.Ordinal) || code.Length == Length)
            {
                return null;
            }

            code.Append(plain);
        }

        return code.Length == Length ? code.ToString() : null;
    }

    internal static string HashOf(byte[] salt, string code) =>
        Base64Url.EncodeToString(SHA256.HashData([.. salt, .. Encoding.ASCII.GetBytes(code)]));

    internal static StoredFactor ToFactor(byte[] salt, IEnumerable<string> hashes) =>
        new(FactorId, Kind, $"{Version};{Base64Url.EncodeToString(salt)};{string.Join(',', hashes)}");

    /// <exception cref="FormatException">It is something else. The message does not repeat it.</exception>
    internal static (byte[] Salt, string[] Hashes) Read(StoredFactor factor) =>
        factor.Data.Split(';') is [Version, var salt, var hashes] && Base64Url.IsValid(salt)
            ? (Base64Url.DecodeFromChars(salt), hashes.Split(',', StringSplitOptions.RemoveEmptyEntries))
            : throw new FormatException($"The factor {factor} is not of this version of the library. Make new codes.");
}
