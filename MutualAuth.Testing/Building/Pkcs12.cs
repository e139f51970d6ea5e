using System.Collections.Immutable;
using Org.BouncyCastle.Asn1.Nist;
using Org.BouncyCastle.Asn1.Pkcs;
using Org.BouncyCastle.Pkcs;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.Security.Certificates;
using Org.BouncyCastle.X509;

namespace MutualAuth.Testing.Building;

internal static class Pkcs12
{
    internal static byte[] Write(ReadOnlyMemory<byte> certificate, ImmutableArray<ReadOnlyMemory<byte>> chain, TestKey key, string password)
    {
        var store = new Pkcs12StoreBuilder()
            .SetUseDerEncoding(true)
            .SetKeyAlgorithm(NistObjectIdentifiers.IdAes256Cbc, PkcsObjectIdentifiers.IdHmacWithSha256)
            .SetCertAlgorithm(NistObjectIdentifiers.IdAes256Cbc, PkcsObjectIdentifiers.IdHmacWithSha256)
            .Build();
        store.SetKeyEntry("test", new AsymmetricKeyEntry(key.Private), [Parse(certificate), .. chain.Select(Parse)]);

        using var output = new MemoryStream();
        store.Save(output, password.ToCharArray(), new SecureRandom());
        return output.ToArray();
    }

    private static X509CertificateEntry Parse(ReadOnlyMemory<byte> der)
    {
        try
        {
            return new X509CertificateEntry(new X509Certificate(der.ToArray()));
        }
        catch (Exception exception) when (exception is CertificateException or ArgumentException or IOException)
        {
            throw new NotSupportedException("A malformed certificate cannot be put into PKCS#12.", exception);
        }
    }
}
