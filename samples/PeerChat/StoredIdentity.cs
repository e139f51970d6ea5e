using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MutualAuth.Samples;

/// <summary>A key and its self-signed certificate, created at the first start and kept in one file that only its owner can read.</summary>
internal static class StoredIdentity
{
    internal static Identity LoadOrCreate(string path, string name)
    {
        if (!File.Exists(path))
        {
            Create(path, name);
        }

        var identity = Identity.FromPemFiles(path);
        return identity.Certificate.DnsNames is [var stored] && stored == name
            ? identity
            : throw new UsageException(
                $"{path} is the identity of {string.Join(", ", identity.Certificate.DnsNames)}, not of {name}; give another --home.");
    }

    private static void Create(string path, string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Sign(key, name);

        // Written beside it first: a crash must not leave half an identity, and a second start at the same moment must not replace a whole one.
        var temporary = $"{path}.{Guid.NewGuid():N}";
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using (var file = new StreamWriter(temporary, options))
            {
                file.Write($"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n");
            }

            File.Move(temporary, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            // The other process was faster.
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>One name, in both places; both purposes, because every peer listens and dials. Peers use only its key and its name.</summary>
    private static X509Certificate2 Sign(ECDsa key, string name)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], critical: false));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddYears(10));
    }
}
