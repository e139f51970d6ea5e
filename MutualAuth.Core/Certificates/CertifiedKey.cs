using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MutualAuth.Certificates;

/// <summary>Imports the key of an elliptic curve by way of a certificate around it, which is much cheaper on the slow curves.</summary>
/// <remarks>
/// When .NET on OpenSSL imports a point, OpenSSL also multiplies it by the order of the group (EC_KEY_check_key): on P-384 that costs more than
/// verifying a signature. These groups have a prime order and the cofactor 1, so that each point of the curve but the neutral one, which the
/// uncompressed form cannot express, passes (SEC 1 §3.2.2.1). The key of a certificate is read without it, and must be on the curve all the same.
/// </remarks>
internal static class CertifiedKey
{
    private const string EcdsaWithSha256 = "1.2.840.10045.4.3.2";

    /// <summary>Imports a SubjectPublicKeyInfo. The result is the caller's to dispose of.</summary>
    /// <exception cref="CryptographicException">OpenSSL does not accept the key.</exception>
    internal static ECDsa Import(ReadOnlyMemory<byte> subjectPublicKeyInfo)
    {
        using var certificate = X509CertificateLoader.LoadCertificate(Around(subjectPublicKeyInfo.Span));
        return certificate.GetECDsaPublicKey() ?? throw new CryptographicException("The key is not one of an elliptic curve.");
    }

    /// <summary>A certificate of version 1 that has nothing but the key. It is not signed, and the rest of it is not read.</summary>
    private static byte[] Around(ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
            {
                writer.WriteInteger(1);
                WriteAlgorithm(writer);
                WriteEmpty(writer);
                using (writer.PushSequence())
                {
                    writer.WriteUtcTime(DateTimeOffset.UnixEpoch);
                    writer.WriteUtcTime(DateTimeOffset.UnixEpoch);
                }

                WriteEmpty(writer);
                writer.WriteEncodedValue(subjectPublicKeyInfo);
            }

            WriteAlgorithm(writer);
            writer.WriteBitString([0]);
        }

        return writer.Encode();
    }

    private static void WriteAlgorithm(AsnWriter writer)
    {
        using var algorithm = writer.PushSequence();
        writer.WriteObjectIdentifier(EcdsaWithSha256);
    }

    private static void WriteEmpty(AsnWriter writer) => writer.PushSequence().Dispose();
}
