using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Asn1.Sec;
using Org.BouncyCastle.Asn1.X9;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Pkcs;
using Org.BouncyCastle.Security;

namespace MutualAuth.Testing.Building;

/// <summary>Reads keys that others made.</summary>
internal static class KeyImport
{
    private const string Kinds = "ECDSA on P-256, P-384 or P-521, RSA of 1024, 2048, 3072 or 4096 bits, Ed25519, or ML-DSA";

    internal static TestKey FromPem(string pem, string? password)
    {
        ArgumentNullException.ThrowIfNull(pem);
        try
        {
            return FromPkcs8(Pkcs8Of(pem, password));
        }
        catch (Exception exception) when (exception is not ArgumentException and not OutOfMemoryException)
        {
            // The readers throw whatever comes of what they read, NullReferenceException among it.
            throw new ArgumentException($"The private key cannot be read: {exception.Message}", nameof(pem), exception);
        }
    }

    internal static TestKey FromPkcs8(byte[] pkcs8)
    {
        var key = PrivateKeyFactory.CreateKey(pkcs8);
        return new TestKey(AlgorithmOf(key) ?? throw NotKnown(), key, deterministic: false);
    }

    internal static KeyAlgorithm AlgorithmOf(ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        AsymmetricKeyParameter key;
        try
        {
            key = PublicKeyFactory.CreateKey(subjectPublicKeyInfo.ToArray());
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // The reader throws whatever comes of what it reads, NullReferenceException among it.
            throw new ArgumentException($"Not a SubjectPublicKeyInfo: {exception.Message}", nameof(subjectPublicKeyInfo), exception);
        }

        return AlgorithmOf(key) ?? throw NotKnown();
    }

    private static byte[] Pkcs8Of(string pem, string? password)
    {
        foreach (var (label, der) in Sections(pem))
        {
            switch (label)
            {
                case "PRIVATE KEY":
                    return der;
                case "ENCRYPTED PRIVATE KEY":
                    // BouncyCastle takes the low octet of each character, and what counts is UTF-8.
                    var octets = Encoding.UTF8.GetBytes(
                        password ?? throw new ArgumentException("The private key is encrypted, and there is no password."));
                    var key = PrivateKeyFactory.DecryptKey(Array.ConvertAll(octets, octet => (char)octet), der);
                    return PrivateKeyInfoFactory.CreatePrivateKeyInfo(key).GetDerEncoded();
                case "EC PRIVATE KEY":
                    using (var ec = ECDsa.Create())
                    {
                        ec.ImportECPrivateKey(der, out _);
                        return ec.ExportPkcs8PrivateKey();
                    }

                case "RSA PRIVATE KEY":
                    using (var rsa = RSA.Create())
                    {
                        rsa.ImportRSAPrivateKey(der, out _);
                        return rsa.ExportPkcs8PrivateKey();
                    }
            }
        }

        throw new ArgumentException("Expected a private key in PEM, found none.", nameof(pem));
    }

    private static List<(string Label, byte[] Der)> Sections(string pem)
    {
        var sections = new List<(string, byte[])>();
        var rest = pem.AsSpan();
        while (PemEncoding.TryFind(rest, out var found))
        {
            sections.Add((rest[found.Label].ToString(), Convert.FromBase64String(rest[found.Base64Data].ToString())));
            rest = rest[found.Location.End..];
        }

        return sections;
    }

    private static KeyAlgorithm? AlgorithmOf(AsymmetricKeyParameter key) => key switch
    {
        ECKeyParameters { PublicKeyParamSet: { } curve } when curve.Equals(X9ObjectIdentifiers.Prime256v1) => KeyAlgorithm.EcdsaP256,
        ECKeyParameters { PublicKeyParamSet: { } curve } when curve.Equals(SecObjectIdentifiers.SecP384r1) => KeyAlgorithm.EcdsaP384,
        ECKeyParameters { PublicKeyParamSet: { } curve } when curve.Equals(SecObjectIdentifiers.SecP521r1) => KeyAlgorithm.EcdsaP521,
        RsaKeyParameters { Modulus.BitLength: 1024 } => KeyAlgorithm.Rsa1024,
        RsaKeyParameters { Modulus.BitLength: 2048 } => KeyAlgorithm.Rsa2048,
        RsaKeyParameters { Modulus.BitLength: 3072 } => KeyAlgorithm.Rsa3072,
        RsaKeyParameters { Modulus.BitLength: 4096 } => KeyAlgorithm.Rsa4096,
        Ed25519PrivateKeyParameters or Ed25519PublicKeyParameters => KeyAlgorithm.Ed25519,
        MLDsaKeyParameters { Parameters: var set } when set == MLDsaParameters.ml_dsa_44 => KeyAlgorithm.MLDsa44,
        MLDsaKeyParameters { Parameters: var set } when set == MLDsaParameters.ml_dsa_65 => KeyAlgorithm.MLDsa65,
        MLDsaKeyParameters { Parameters: var set } when set == MLDsaParameters.ml_dsa_87 => KeyAlgorithm.MLDsa87,
        _ => null,
    };

    private static ArgumentException NotKnown() => new($"The key is of a kind that this kit does not know; it knows {Kinds}.");
}
