using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.Nist;
using Org.BouncyCastle.Asn1.Pkcs;
using Org.BouncyCastle.Asn1.X509;

namespace MutualAuth.Testing.Building;

/// <summary>
/// PBES2 (RFC 8018 §6.2) with AES-256-CBC and PBKDF2 with HMAC-SHA-256, under the UTF-8 of a password, as OpenSSL, Java and .NET have it.
/// BouncyCastle takes the low octet of each character.
/// </summary>
internal static class PasswordEncryption
{
    private const int KeyLength = 32;

    /// <summary>The private key, encrypted (RFC 5958 §3).</summary>
    internal static EncryptedPrivateKeyInfo Encrypt(TestKey key, string password, int iterations)
    {
        var (algorithm, encrypted) = Encrypt(key.Pkcs8.Span, key, "key", password, iterations);
        return new EncryptedPrivateKeyInfo(algorithm, encrypted);
    }

    /// <summary>Any octets, encrypted. <paramref name="key"/> says whether salt and vector are random.</summary>
    internal static (AlgorithmIdentifier Algorithm, byte[] Encrypted) Encrypt(
        ReadOnlySpan<byte> plain, TestKey? key, string purpose, string password, int iterations)
    {
        var random = Random(key, $"{purpose}\0{password}\0{iterations}", 32);
        byte[] salt = random[..16], vector = random[16..];
        using var aes = Aes.Create();
        aes.Key = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, iterations, HashAlgorithmName.SHA256, KeyLength);
        var parameters = new PbeS2Parameters(
            new KeyDerivationFunc(
                PkcsObjectIdentifiers.IdPbkdf2,
                new Pbkdf2Params(salt, iterations, KeyLength, new AlgorithmIdentifier(PkcsObjectIdentifiers.IdHmacWithSha256, DerNull.Instance))),
            new EncryptionScheme(NistObjectIdentifiers.IdAes256Cbc, new DerOctetString(vector)));
        return (new AlgorithmIdentifier(PkcsObjectIdentifiers.IdPbeS2, parameters), aes.EncryptCbc(plain, vector));
    }

    internal static byte[] Random(TestKey? key, string purpose, int count) => key?.Salt(purpose, count) ?? RandomNumberGenerator.GetBytes(count);
}
