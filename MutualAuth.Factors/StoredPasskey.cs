using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using MutualAuth.Credentials;

namespace MutualAuth.Factors;

/// <summary>A registered passkey, as a store keeps it.</summary>
internal sealed record StoredPasskey(byte[] CredentialId, byte[] PublicKey, uint Counter, bool IsLocked)
{
    internal const string Kind = "passkey";

    private const string Version = "1";
    private const string Locked = "locked";
    private const string Open = "open";

    /// <summary>Derived from the passkey's own identifier, which may be longer than a store's.</summary>
    internal string FactorId => $"passkey-{Base64Url.EncodeToString(SHA256.HashData(CredentialId).AsSpan(0, 15))}";

    internal StoredFactor ToFactor() => new(
        FactorId,
        Kind,
        string.Join(
            ';',
            Version,
            Base64Url.EncodeToString(CredentialId),
            Base64Url.EncodeToString(PublicKey),
            Counter.ToString(CultureInfo.InvariantCulture),
            IsLocked ? Locked : Open));

    /// <exception cref="FormatException">It is something else. The message does not repeat it.</exception>
    internal static StoredPasskey Read(StoredFactor factor) =>
        factor.Data.Split(';') is [Version, var id, var key, var counter, var state] && (state is Locked or Open) && Base64Url.IsValid(id)
            && Base64Url.IsValid(key) && uint.TryParse(counter, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? new StoredPasskey(Base64Url.DecodeFromChars(id), Base64Url.DecodeFromChars(key), count, state == Locked)
            : throw new FormatException($"The factor {factor} is not of this version of the library. Remove it, and add it again.");
}
