using System.Security.Cryptography;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Pkcs;

namespace MutualAuth.Testing.Building;

/// <summary>Reads what a certification request (PKCS#10, RFC 2986) asks for.</summary>
internal static class SigningRequest
{
    /// <summary>The template with the key, the subject, the alternative names and the extended key usages of the request.</summary>
    internal static CertificateSpec Read(string pem, CertificateSpec template)
    {
        var request = Parse(pem);
        var info = request.GetCertificationRequestInfo();
        var extensions = request.GetRequestedExtensions();
        var spec = template with
        {
            RawSubject = info.Subject.GetDerEncoded(),
            Key = TestKey.FromPublicKey(info.SubjectPublicKeyInfo.GetDerEncoded()),
        };
        if (extensions?.GetExtensionParsedValue(X509Extensions.SubjectAlternativeName) is { } names)
        {
            spec = spec with { OtherNames = [.. GeneralNames.GetInstance(names).GetNames().Select(name => new GeneralName(name))] };
        }

        if (extensions?.GetExtensionParsedValue(X509Extensions.ExtendedKeyUsage) is { } usages)
        {
            spec = spec with { ExtendedKeyUsages = [.. ((Asn1Sequence)usages).Select(usage => ((DerObjectIdentifier)usage).Id)] };
        }

        return spec;
    }

    private static Pkcs10CertificationRequest Parse(string pem)
    {
        if (!PemEncoding.TryFind(pem, out var found) || pem[found.Label] is not ("CERTIFICATE REQUEST" or "NEW CERTIFICATE REQUEST"))
        {
            throw new ArgumentException("Expected a certification request in PEM (-----BEGIN CERTIFICATE REQUEST-----).", nameof(pem));
        }

        try
        {
            var request = new Pkcs10CertificationRequest(Convert.FromBase64String(pem[found.Base64Data]));
            return request.Verify() ? request
                : throw new ArgumentException("The signature of the request is wrong: whoever made it does not have the key.", nameof(pem));
        }
        catch (Exception exception) when (exception is not ArgumentException { ParamName: nameof(pem) } and not OutOfMemoryException)
        {
            // The reader throws whatever comes of what it reads, NullReferenceException among it.
            throw new ArgumentException($"The request cannot be read: {exception.Message}", nameof(pem), exception);
        }
    }
}
