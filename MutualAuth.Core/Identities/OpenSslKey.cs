using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using MutualAuth.Errors;

namespace MutualAuth.Identities;

/// <summary>Keys that OpenSSL opens through an engine or a provider, and that need never leave their hardware.</summary>
internal static partial class OpenSslKey
{
    [UnsupportedOSPlatform("android")]
    [UnsupportedOSPlatform("browser")]
    [UnsupportedOSPlatform("ios")]
    [UnsupportedOSPlatform("tvos")]
    [UnsupportedOSPlatform("windows")]
    internal static IDisposable FromEngine(string engine, string keyId)
    {
        ArgumentException.ThrowIfNullOrEmpty(engine);
        ArgumentException.ThrowIfNullOrEmpty(keyId);
        return Open("engine", engine, keyId, () => SafeEvpPKeyHandle.OpenPrivateKeyFromEngine(engine, keyId));
    }

    [UnsupportedOSPlatform("android")]
    [UnsupportedOSPlatform("browser")]
    [UnsupportedOSPlatform("ios")]
    [UnsupportedOSPlatform("tvos")]
    [UnsupportedOSPlatform("windows")]
    internal static IDisposable FromProvider(string provider, string keyUri)
    {
        ArgumentException.ThrowIfNullOrEmpty(provider);
        ArgumentException.ThrowIfNullOrEmpty(keyUri);
        return Open("provider", provider, keyUri, () => SafeEvpPKeyHandle.OpenKeyFromProvider(provider, keyUri));
    }

    /// <summary>The certificate together with the key; a duplicate of the key's handle is kept.</summary>
    internal static X509Certificate2 Attach(X509Certificate2 certificate, IDisposable key) => key switch
    {
        RSA rsa => certificate.CopyWithPrivateKey(rsa),
        ECDsa ecdsa => certificate.CopyWithPrivateKey(ecdsa),
#pragma warning disable SYSLIB5006 // The one member of ML-DSA in use that may still change.
        MLDsa mlDsa => certificate.CopyWithPrivateKey(mlDsa),
#pragma warning restore SYSLIB5006
        _ => throw new ArgumentException($"Expected an RSA, EC or ML-DSA key for signing, got {key.GetType().Name}.", nameof(key)),
    };

    [UnsupportedOSPlatform("android")]
    [UnsupportedOSPlatform("browser")]
    [UnsupportedOSPlatform("ios")]
    [UnsupportedOSPlatform("tvos")]
    [UnsupportedOSPlatform("windows")]
    private static IDisposable Open(string kind, string module, string keyId, Func<SafeEvpPKeyHandle> open)
    {
        try
        {
            using var handle = open();
            return ToAlgorithm(handle);
        }
        catch (CryptographicException exception)
        {
            throw new MaterialException(
                $"The OpenSSL {kind} {SafeText.Quote(module)} does not open the key {SafeText.Quote(WithoutPin(keyId))}: {exception.Message}. "
                + $"Check that the {kind} is installed and finds its module, that token and object are named right, and that the PIN is.", exception)
            { Problem = MaterialProblem.NoKey };
        }
    }

    [UnsupportedOSPlatform("android")]
    [UnsupportedOSPlatform("browser")]
    [UnsupportedOSPlatform("ios")]
    [UnsupportedOSPlatform("tvos")]
    [UnsupportedOSPlatform("windows")]
    private static IDisposable ToAlgorithm(SafeEvpPKeyHandle handle)
    {
        try
        {
            return new ECDsaOpenSsl(handle);
        }
        catch (CryptographicException)
        {
            return TryToMLDsa(handle) ?? (IDisposable)new RSAOpenSsl(handle);
        }
    }

    [UnsupportedOSPlatform("android")]
    [UnsupportedOSPlatform("browser")]
    [UnsupportedOSPlatform("ios")]
    [UnsupportedOSPlatform("tvos")]
    [UnsupportedOSPlatform("windows")]
    private static MLDsaOpenSsl? TryToMLDsa(SafeEvpPKeyHandle handle)
    {
        try
        {
            return MLDsa.IsSupported && !OperatingSystem.IsMacOS() ? new MLDsaOpenSsl(handle) : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    // A PIN in the URI is allowed, and has no place in a message.
    private static string WithoutPin(string keyId) => Pin().Replace(keyId, "$1…");

    [GeneratedRegex("(pin-value=)[^;?&]*", RegexOptions.IgnoreCase)]
    private static partial Regex Pin();
}
