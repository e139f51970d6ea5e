using System.Security.Cryptography;
using System.Text;
using MutualAuth.Certificates;
using MutualAuth.Errors;

namespace MutualAuth.Identities;

/// <summary>Keys with the headers <c>Proc-Type: 4,ENCRYPTED</c> and <c>DEK-Info</c> (RFC 1421 §4.6): the traditional form of OpenSSL.</summary>
/// <remarks>The key of the cipher is MD5 of the password and the first half of the initialization vector, once, as OpenSSL derives it.</remarks>
internal static class TraditionalEncryption
{
    private const int SaltLength = 8;

    /// <exception cref="MaterialException">The password does not open it, or the framework does not have the cipher.</exception>
    internal static byte[] Decrypt(PemBlock block, ReadOnlySpan<char> password, PemOrigin origin)
    {
        var (name, vector) = ReadInfo(block, origin);
        using var cipher = Cipher(name) ?? throw Pkcs8Encryption.NotSupported(origin, SafeText.Quote(name));
        if (vector.Length != cipher.BlockSize / 8)
        {
            throw Damaged(block, origin);
        }

        var key = DeriveKey(password, vector.AsSpan(0, SaltLength), cipher.KeySize / 8);
        try
        {
            cipher.Key = key;
            return cipher.DecryptCbc(block.Contents.Span, vector);
        }
        catch (CryptographicException exception)
        {
            throw PrivateKeyPem.Unusable(origin, MaterialProblem.WrongPassword, PrivateKeyPem.WrongPassword, exception);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private static (string Name, byte[] Vector) ReadInfo(PemBlock block, PemOrigin origin)
    {
        foreach (var line in block.Headers.Split('\n'))
        {
            if (line.StartsWith("DEK-Info:", StringComparison.Ordinal) && line["DEK-Info:".Length..].Split(',') is [var name, var digits])
            {
                try
                {
                    return (name.Trim(), Convert.FromHexString(digits.Trim()));
                }
                catch (FormatException)
                {
                    break;
                }
            }
        }

        throw Damaged(block, origin);
    }

    private static MaterialException Damaged(PemBlock block, PemOrigin origin) =>
        PrivateKeyPem.Unusable(origin, MaterialProblem.NoKey, $"the headers of PEM block {block.Number} are damaged. Export it again");

    private static SymmetricAlgorithm? Cipher(string name)
    {
        SymmetricAlgorithm Aes(int bits)
        {
            var aes = System.Security.Cryptography.Aes.Create();
            aes.KeySize = bits;
            return aes;
        }

        return name switch
        {
            "AES-128-CBC" => Aes(128),
            "AES-192-CBC" => Aes(192),
            "AES-256-CBC" => Aes(256),
#pragma warning disable CA5350 // The operator chose it for his file, and we only read it.
            "DES-EDE3-CBC" => TripleDES.Create(),
#pragma warning restore CA5350
            _ => null,
        };
    }

    private static byte[] DeriveKey(ReadOnlySpan<char> password, ReadOnlySpan<byte> salt, int length)
    {
        const int HashLength = 16;
        var secret = new byte[Encoding.UTF8.GetByteCount(password)];
        Encoding.UTF8.GetBytes(password, secret);
        byte[] input = [.. secret, .. salt];
        var key = new byte[length];
        var last = Array.Empty<byte>();
        for (var done = 0; done < length; done += HashLength)
        {
#pragma warning disable CA5351 // The form demands it.
            last = MD5.HashData([.. last, .. input]);
#pragma warning restore CA5351
            last.AsSpan(0, Math.Min(HashLength, length - done)).CopyTo(key.AsSpan(done));
        }

        CryptographicOperations.ZeroMemory(secret);
        CryptographicOperations.ZeroMemory(input);
        return key;
    }
}
