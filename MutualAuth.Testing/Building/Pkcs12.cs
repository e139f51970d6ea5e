using System.Collections.Immutable;
using System.Security.Cryptography;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.Nist;
using Org.BouncyCastle.Asn1.Pkcs;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Digests;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Security.Certificates;
using Org.BouncyCastle.X509;

namespace MutualAuth.Testing.Building;

/// <summary>
/// PKCS#12 (RFC 7292) with SHA-256 throughout: PBES2 for key and certificates, and HMAC-SHA-256 over the whole.
/// <code>
/// PFX ::= SEQUENCE { version INTEGER (3), authSafe ContentInfo, macData MacData }
/// </code>
/// </summary>
internal static class Pkcs12
{
    private const int Iterations = 2048;

    // What Java asks for before it takes a certificate without a key for one to trust: the purposes that it is trusted for, here any.
    private static readonly DerObjectIdentifier s_trustedKeyUsage = new("2.16.840.1.113894.746875.1.1");

    internal static byte[] Write(ReadOnlyMemory<byte> certificate, ImmutableArray<ReadOnlyMemory<byte>> chain, TestKey key, string password)
    {
        var identifier = Attribute(PkcsObjectIdentifiers.Pkcs9AtLocalKeyID, new DerOctetString(SHA256.HashData(certificate.Span)));
        var name = Attribute(PkcsObjectIdentifiers.Pkcs9AtFriendlyName, new DerBmpString("test"));
        var keyBag = new SafeBag(
            PkcsObjectIdentifiers.Pkcs8ShroudedKeyBag, PasswordEncryption.Encrypt(key, password, Iterations), new DerSet(name, identifier));
        SafeBag[] certificates = [CertificateBag(certificate, name, identifier), .. chain.Select(each => CertificateBag(each))];
        var (algorithm, encrypted) = PasswordEncryption.Encrypt(
            new DerSequence(certificates).GetDerEncoded(), key, "certificates", password, Iterations);
        var encryptedData = new EncryptedData(PkcsObjectIdentifiers.Data, algorithm, new DerOctetString(encrypted));
        return Seal([new ContentInfo(PkcsObjectIdentifiers.EncryptedData, encryptedData), Plain(keyBag)], key, password);
    }

    /// <summary>
    /// A certificate to trust under a name, and no key. It is sealed and not encrypted, for there is nothing to hide.
    /// </summary>
    internal static byte[] WriteTrust(string name, TestCertificate trusted, string password)
    {
        var bag = CertificateBag(
            trusted.RawCertificate,
            Attribute(PkcsObjectIdentifiers.Pkcs9AtFriendlyName, new DerBmpString(name)),
            Attribute(s_trustedKeyUsage, KeyPurposeID.AnyExtendedKeyUsage));
        return Seal([Plain(bag)], trusted.Key, password);
    }

    private static ContentInfo Plain(SafeBag bag) =>
        new(PkcsObjectIdentifiers.Data, new DerOctetString(new DerSequence(bag).GetDerEncoded()));

    private static byte[] Seal(ContentInfo[] contents, TestKey key, string password)
    {
        var safe = new DerSequence(contents).GetDerEncoded();
        var salt = PasswordEncryption.Random(key, $"mac\0{password}", 16);
        var mac = new MacData(
            new DigestInfo(new AlgorithmIdentifier(NistObjectIdentifiers.IdSha256, DerNull.Instance), Mac(safe, salt, password)), salt, Iterations);
        return new Pfx(new ContentInfo(PkcsObjectIdentifiers.Data, new DerOctetString(safe)), mac).GetDerEncoded();
    }

    // RFC 7292 appendix B: here the password counts as UTF-16, and not as UTF-8 as in PBES2.
    private static byte[] Mac(byte[] safe, byte[] salt, string password)
    {
        var generator = new Pkcs12ParametersGenerator(new Sha256Digest());
        generator.Init(PbeParametersGenerator.Pkcs12PasswordToBytes(password.ToCharArray()), salt, Iterations);
        return HMACSHA256.HashData(((KeyParameter)generator.GenerateDerivedMacParameters(256)).GetKey(), safe);
    }

    private static SafeBag CertificateBag(ReadOnlyMemory<byte> der, params Asn1Encodable[] attributes)
    {
        try
        {
            _ = new X509Certificate(der.ToArray());
        }
        catch (Exception exception) when (exception is CertificateException or ArgumentException or IOException)
        {
            throw new NotSupportedException("A malformed certificate cannot be put into PKCS#12.", exception);
        }

        var bag = new CertBag(PkcsObjectIdentifiers.X509Certificate, new DerOctetString(der.ToArray()));
        return attributes.Length == 0
            ? new SafeBag(PkcsObjectIdentifiers.CertBag, bag)
            : new SafeBag(PkcsObjectIdentifiers.CertBag, bag, new DerSet(attributes));
    }

    private static DerSequence Attribute(DerObjectIdentifier type, Asn1Encodable value) => new(type, new DerSet(value));
}
