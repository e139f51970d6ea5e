using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MutualAuth.Testing.Building;

/// <summary>Makes the framework's certificate objects, and says plainly when it cannot.</summary>
internal static class FrameworkCertificate
{
    private const X509KeyUsageFlags Signing =
        X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.NonRepudiation | X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign;

    internal static X509Certificate2 Load(ReadOnlySpan<byte> raw)
    {
        try
        {
            return X509CertificateLoader.LoadCertificate(raw);
        }
        catch (CryptographicException exception)
        {
            throw new NotSupportedException(
                "The framework cannot read this certificate; use the raw form, and a TLS peer that sends it as it is.", exception);
        }
    }

    /// <summary>The certificate with its key; alone where only its owner has the key.</summary>
    internal static X509Certificate2 WithKey(byte[] raw, TestKey key)
    {
        if (!key.HasPrivateKey)
        {
            return Load(raw);
        }

        using var framework = (IDisposable?)key.CreateFrameworkKey() ?? key.CreateFrameworkMLDsa()
            ?? throw new NotSupportedException($"The framework has no key object for {key.Algorithm} that SslStream can use; use the raw form.");
        using var bare = Load(raw);
        try
        {
            var certificate = framework switch
            {
                RSA rsa => bare.CopyWithPrivateKey(rsa),
#pragma warning disable SYSLIB5006 // May still change in the framework.
                MLDsa mlDsa => bare.CopyWithPrivateKey(mlDsa),
#pragma warning restore SYSLIB5006
                _ => WithEcKey(bare, (ECDsa)framework),
            };
            return OperatingSystem.IsWindows() ? Persist(certificate) : certificate;
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException or InvalidOperationException)
        {
            throw new NotSupportedException("The framework does not join this certificate to its key: they do not fit each other.", exception);
        }
    }

    private static X509Certificate2 WithEcKey(X509Certificate2 bare, ECDsa ecdsa)
    {
        // The framework calls a certificate whose key usage is keyAgreement alone one for ECDH, and takes no ECDSA object for it.
        var agreementOnly = bare.Extensions.OfType<X509KeyUsageExtension>().FirstOrDefault() is { } usage
            && usage.KeyUsages.HasFlag(X509KeyUsageFlags.KeyAgreement)
            && (usage.KeyUsages & Signing) == 0;
        if (!agreementOnly)
        {
            return bare.CopyWithPrivateKey(ecdsa);
        }

        using var ecdh = ECDiffieHellman.Create(ecdsa.ExportParameters(includePrivateParameters: true));
        return bare.CopyWithPrivateKey(ecdh);
    }

    // SChannel cannot use a key that lives in memory only; loading from PKCS#12 gives it a container.
    private static X509Certificate2 Persist(X509Certificate2 ephemeral)
    {
        using (ephemeral)
        {
            return X509CertificateLoader.LoadPkcs12(ephemeral.Export(X509ContentType.Pkcs12), password: null);
        }
    }
}
