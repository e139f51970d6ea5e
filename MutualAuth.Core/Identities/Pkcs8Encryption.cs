using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text;
using MutualAuth.Asn1;
using MutualAuth.Certificates;

namespace MutualAuth.Identities;

/// <summary>Opens encrypted PKCS#8 (RFC 5958 §3): PBES2 with PBKDF2 or scrypt here, the older schemes through the framework.</summary>
internal static class Pkcs8Encryption
{
    private const string Pbes2 = "1.2.840.113549.1.5.13";
    private const string Pbkdf2 = "1.2.840.113549.1.5.12";
    private const string ScryptFunction = "1.3.6.1.4.1.11591.4.11";

    // PBES1 and the schemes of PKCS#12, but RC4 (RFC 8018 §A.3, RFC 7292 appendix C).
    private static readonly string[] s_olderSchemes =
    [
        "1.2.840.113549.1.5.3", "1.2.840.113549.1.5.6", "1.2.840.113549.1.5.10", "1.2.840.113549.1.5.11",
        "1.2.840.113549.1.12.1.3", "1.2.840.113549.1.12.1.4", "1.2.840.113549.1.12.1.5", "1.2.840.113549.1.12.1.6",
    ];

    /// <returns>The key in PKCS#8, in the clear.</returns>
    /// <exception cref="MaterialException">The password does not open it, it is damaged, or the framework does not have the cipher.</exception>
    internal static byte[] Decrypt(ReadOnlyMemory<byte> encrypted, ReadOnlySpan<char> password, PemOrigin origin)
    {
        try
        {
            var outer = new DerReader(encrypted).ReadSequence();
            var scheme = outer.ReadSequence();
            var content = outer.ReadContent(DerReader.OctetString);
            outer.End();
            var id = Oids.ToDotted(scheme.ReadOid().Span);
            return id == Pbes2 ? DecryptPbes2(scheme.ReadSequence(), content.Span, password, origin)
                : s_olderSchemes.Contains(id) ? DecryptByFramework(encrypted, password, origin)
                : throw NotSupported(origin, id);
        }
        catch (AsnContentException exception)
        {
            throw PrivateKeyPem.Unusable(origin, MaterialProblem.NoKey, "its encryption is damaged. Export it again", exception);
        }
    }

    internal static MaterialException NotSupported(PemOrigin origin, string cipher) => PrivateKeyPem.Unusable(
        origin,
        MaterialProblem.NoKey,
        $"it is encrypted by {cipher}, which is not supported. Convert it, openssl pkcs8 -topk8 -in {origin.Argument} -out KEY.pem, and give that "
            + "file");

    private static byte[] DecryptPbes2(DerReader parameters, ReadOnlySpan<byte> content, ReadOnlySpan<char> password, PemOrigin origin)
    {
        var function = parameters.ReadSequence();
        var encryption = parameters.ReadSequence();
        using var cipher = Cipher(Oids.ToDotted(encryption.ReadOid().Span), origin);
        var vector = encryption.ReadContent(DerReader.OctetString);
        if (vector.Length != cipher.BlockSize / 8)
        {
            throw new AsnContentException("the initialization vector is not a block long");
        }

        var key = DeriveKey(function, password, cipher.KeySize / 8, origin);
        try
        {
            cipher.Key = key;
            return cipher.DecryptCbc(content, vector.Span);
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

    private static SymmetricAlgorithm Cipher(string id, PemOrigin origin)
    {
        static SymmetricAlgorithm Aes(int bits)
        {
            var aes = System.Security.Cryptography.Aes.Create();
            aes.KeySize = bits;
            return aes;
        }

        return id switch
        {
            "2.16.840.1.101.3.4.1.2" => Aes(128),
            "2.16.840.1.101.3.4.1.22" => Aes(192),
            "2.16.840.1.101.3.4.1.42" => Aes(256),
#pragma warning disable CA5350 // The operator chose it for his file, and we only read it.
            "1.2.840.113549.3.7" => TripleDES.Create(),
#pragma warning restore CA5350
            _ => throw NotSupported(origin, id),
        };
    }

    private static byte[] DeriveKey(DerReader function, ReadOnlySpan<char> password, int length, PemOrigin origin)
    {
        var secret = new byte[Encoding.UTF8.GetByteCount(password)];
        Encoding.UTF8.GetBytes(password, secret);
        try
        {
            switch (Oids.ToDotted(function.ReadOid().Span))
            {
                case Pbkdf2:
                    var simple = function.ReadSequence();
                    var salt = simple.ReadContent(DerReader.OctetString);
                    var iterations = simple.ReadCount();
                    if (simple.NextIs(DerReader.Integer))
                    {
                        simple.ReadCount();
                    }

                    var hash = simple.IsEmpty ? HashAlgorithmName.SHA1 : Hash(Oids.ToDotted(simple.ReadSequence().ReadOid().Span), origin);
                    return Rfc2898DeriveBytes.Pbkdf2(secret, salt.Span, Math.Max(iterations, 1), hash, length);
                case ScryptFunction:
                    var hard = function.ReadSequence();
                    var (salted, cost, blocks, parallel) =
                        (hard.ReadContent(DerReader.OctetString), hard.ReadCount(), hard.ReadCount(), hard.ReadCount());
                    return Scrypt.DeriveKey(secret, salted.Span, cost, blocks, parallel, length)
                        ?? throw PrivateKeyPem.Unusable(origin, MaterialProblem.NoKey,
                            $"its scrypt parameters are not allowed: N {cost}, r {blocks}, p {parallel}. N is a power of two, and 128 * N * r and "
                                + $"128 * p * r are at most {Scrypt.MaxMemory} bytes");
                case var other:
                    throw NotSupported(origin, other);
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    private static HashAlgorithmName Hash(string function, PemOrigin origin) => function switch
    {
        "1.2.840.113549.2.7" => HashAlgorithmName.SHA1,
        "1.2.840.113549.2.9" => HashAlgorithmName.SHA256,
        "1.2.840.113549.2.10" => HashAlgorithmName.SHA384,
        "1.2.840.113549.2.11" => HashAlgorithmName.SHA512,
        _ => throw NotSupported(origin, function),
    };

    private static byte[] DecryptByFramework(ReadOnlyMemory<byte> encrypted, ReadOnlySpan<char> password, PemOrigin origin)
    {
        CryptographicException? problem = null;
        foreach (var key in new AsymmetricAlgorithm[] { ECDsa.Create(), RSA.Create() })
        {
            using (key)
            {
                try
                {
                    key.ImportEncryptedPkcs8PrivateKey(password, encrypted.Span, out _);
                    return key.ExportPkcs8PrivateKey();
                }
                catch (CryptographicException exception)
                {
                    problem = exception; // the other kind, perhaps
                }
            }
        }

        throw PrivateKeyPem.Unusable(origin, MaterialProblem.WrongPassword, PrivateKeyPem.WrongPassword, problem);
    }
}
