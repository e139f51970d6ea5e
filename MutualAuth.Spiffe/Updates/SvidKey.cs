using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Certificates;

namespace MutualAuth.Spiffe.Updates;

/// <summary>Combines a certificate and its private key. The key is never converted to text.</summary>
internal static class SvidKey
{
    /// <summary>The platform's certificate with its key, which the caller owns; or the reason why they do not match.</summary>
    internal static UpdateRefusal? Join(Certificate leaf, ReadOnlySpan<byte> pkcs8, out X509Certificate2? joined)
    {
        joined = null;
        try
        {
            using var bare = leaf.ToX509Certificate2();
            using var publicEcdsa = bare.GetECDsaPublicKey();
            using var publicRsa = bare.GetRSAPublicKey();
            using AsymmetricAlgorithm? key = publicEcdsa is not null ? ECDsa.Create() : publicRsa is not null ? RSA.Create() : null;
            if (key is null)
            {
                return Mismatch("The certificate's key is neither RSA nor ECDSA, which are what the platform's TLS can present.");
            }

            key.ImportPkcs8PrivateKey(pkcs8, out var read);
            if (read != pkcs8.Length)
            {
                return Mismatch("Something stands behind the private key.");
            }

            using var withKey = key is ECDsa ecdsa ? bare.CopyWithPrivateKey(ecdsa) : bare.CopyWithPrivateKey((RSA)key);

            // SChannel cannot use a key that is only in memory; a round trip through PKCS#12 creates one that it can use.
            joined = OperatingSystem.IsWindows()
                ? X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null)
                : new X509Certificate2(withKey);
            return null;
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            // The framework's message describes the operation; it never quotes a key.
            return Mismatch($"The private key is not a PKCS#8 key of the certificate's kind, or not the certificate's: {exception.Message}");
        }
    }

    private static UpdateRefusal Mismatch(string detail) => new(UpdateRefusalReason.KeyMismatch, detail);
}
