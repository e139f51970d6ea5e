using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MutualAuth.Testing.Building;

/// <summary>Takes certificates over that others issued.</summary>
internal static class ExistingCertificate
{
    /// <summary>The certificates of an authority, its own first, which <paramref name="key"/> must be for, and those above it.</summary>
    internal static List<TestCertificate> Read(string pem, TestKey key)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(pem);
        }
        catch (CryptographicException exception)
        {
            throw new ArgumentException($"The certificate of the authority cannot be read: {exception.Message}", nameof(pem), exception);
        }

        try
        {
            if (certificates.Count == 0)
            {
                throw new ArgumentException("Expected the certificate of the authority in PEM, found none.", nameof(pem));
            }

            if (!certificates[^1].SubjectName.RawData.AsSpan().SequenceEqual(certificates[^1].IssuerName.RawData))
            {
                throw new ArgumentException(
                    $"The last certificate, {certificates[^1].Subject}, is no root: those up to the root have to follow the authority's own.",
                    nameof(pem));
            }

            // What an authority sends along is what lies between it and the root.
            ReadOnlyMemory<byte>[] raw = [.. certificates.Select(each => (ReadOnlyMemory<byte>)each.RawData)];
            return [.. certificates.Select((each, i) => Take(each, i == 0 ? key : null, [.. raw.Skip(i + 1).SkipLast(1)]))];
        }
        finally
        {
            foreach (var certificate in certificates)
            {
                certificate.Dispose();
            }
        }
    }

    private static TestCertificate Take(X509Certificate2 certificate, TestKey? key, ImmutableArray<ReadOnlyMemory<byte>> chain)
    {
        var publicKey = certificate.PublicKey.ExportSubjectPublicKeyInfo();
        if (key is not null && !key.SubjectPublicKeyInfo.Span.SequenceEqual(publicKey))
        {
            throw new ArgumentException($"The key is not that of the first certificate, {certificate.Subject}.", nameof(key));
        }

        var identifier = certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().FirstOrDefault();
        var spec = new CertificateSpec
        {
            RawSubject = certificate.SubjectName.RawData,
            NotBefore = certificate.NotBefore,
            NotAfter = certificate.NotAfter,
            SubjectKeyIdentifier = identifier is null ? KeyIdentifier.Absent : KeyIdentifier.Of(identifier.SubjectKeyIdentifierBytes),
            BasicConstraints = new BasicConstraints(IsAuthority: true),
        };
        return new TestCertificate(
            certificate.RawData,
            chain,
            key ?? TestKey.FromPublicKey(publicKey),
            spec,
            new(certificate.SerialNumberBytes.Span, isUnsigned: false, isBigEndian: true));
    }
}
