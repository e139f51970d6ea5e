using System.Collections.Immutable;
using System.Net.Security;
using System.Numerics;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MutualAuth.Testing.Building;

namespace MutualAuth.Testing;

/// <summary>A certificate with its private key and the intermediates that lead to its root: what a peer holds.</summary>
/// <remarks>
/// Safe to share. It owns the framework objects of <see cref="Certificate"/> and <see cref="Chain"/> until it is disposed;
/// the raw forms and the key stay usable afterwards.
/// </remarks>
public sealed class TestCertificate : IDisposable
{
    private readonly Lazy<X509Certificate2> _certificate;
    private readonly Lazy<X509Certificate2Collection> _chain;

    internal TestCertificate(byte[] raw, ImmutableArray<ReadOnlyMemory<byte>> rawChain, TestKey key, CertificateSpec spec, BigInteger serialNumber)
    {
        RawCertificate = raw;
        RawChain = rawChain;
        Key = key;
        Spec = spec;
        SerialNumber = serialNumber;
        _certificate = new(() => FrameworkCertificate.WithKey(raw, key));
        _chain = new(() => [.. RawChain.Select(certificate => FrameworkCertificate.Load(certificate.Span))]);
    }

    /// <summary>The certificate in DER, however wrong it is.</summary>
    public ReadOnlyMemory<byte> RawCertificate { get; }

    /// <summary>The intermediates in DER, the issuer first; the root is not among them.</summary>
    public ImmutableArray<ReadOnlyMemory<byte>> RawChain { get; }

    /// <summary>The key pair.</summary>
    public TestKey Key { get; }

    /// <summary>The specification of the certificate.</summary>
    public CertificateSpec Spec { get; }

    /// <summary>The serial number, by which a CRL or an OCSP responder knows the certificate.</summary>
    public BigInteger SerialNumber { get; }

    /// <summary>
    /// The framework's certificate with its private key, ready for <see cref="SslStream"/> in both roles; without one, where only its owner has
    /// the key (<see cref="TestAuthority.Sign"/>). Do not dispose it.
    /// </summary>
    /// <exception cref="NotSupportedException">
    /// The framework cannot carry the certificate or its key: it is malformed, the two do not fit, it is Ed25519, or ML-DSA on a platform without.
    /// </exception>
    public X509Certificate2 Certificate => _certificate.Value;

    /// <summary>The intermediates, the issuer first. Do not dispose them.</summary>
    /// <exception cref="NotSupportedException">One of them is malformed.</exception>
    public X509Certificate2Collection Chain => _chain.Value;

    /// <summary>Certificate, key and intermediates as options of this library take them. It lives as long as this object.</summary>
    /// <exception cref="NotSupportedException">The framework cannot carry the certificate or its key.</exception>
    /// <exception cref="MaterialException">
    /// The companions are no chain: a peer that shall present them is played by <see cref="Transports.LooseTlsPeer"/>.
    /// </exception>
    public Identity ToIdentity() => Identity.From(Certificate, Chain);

    /// <summary>The certificate in PEM.</summary>
    public string CertificatePem => PemText.OfCertificate(RawCertificate.Span);

    /// <summary>The certificate and its intermediates in PEM, as a server's certificate file has them.</summary>
    public string ChainPem => CertificatePem + string.Concat(RawChain.Select(certificate => PemText.OfCertificate(certificate.Span)));

    /// <summary>The private key as PKCS#8 in PEM, not encrypted.</summary>
    public string PrivateKeyPem => Key.PrivateKeyPem;

    /// <summary>The private key as encrypted PKCS#8 in PEM.</summary>
    public string ToEncryptedPrivateKeyPem(string password) => Key.ToEncryptedPem(password);

    /// <summary>
    /// Certificate, intermediates and key as PKCS#12 (AES-256-CBC, and HMAC-SHA-256 for the derivation of its key and over the whole), under the
    /// alias <c>test</c>.
    /// </summary>
    /// <param name="password">
    /// The password, in any script; Java 17 takes none beyond ASCII ("Password is not ASCII").
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="password"/> is null.</exception>
    /// <exception cref="NotSupportedException">The certificate is malformed.</exception>
    public byte[] ToPkcs12(string password)
    {
        ArgumentNullException.ThrowIfNull(password);
        return Pkcs12.Write(RawCertificate, RawChain, Key, password);
    }

    /// <summary>
    /// The value for <see cref="SslServerAuthenticationOptions.ServerCertificateContext"/> and its counterpart on clients: certificate and
    /// intermediates, nothing downloaded.
    /// </summary>
    /// <exception cref="NotSupportedException">The framework cannot carry the certificate or its key.</exception>
    public SslStreamCertificateContext ToSslContext() => SslStreamCertificateContext.Create(Certificate, Chain, offline: true);

    /// <summary>
    /// Writes <c>NAME.pem</c> (certificate and intermediates) and <c>NAME.key</c> (PKCS#8, readable by the owner only), in the place of what lay
    /// there. Each file is whole at any moment; between the two, the new certificate lies beside the old key.
    /// </summary>
    /// <param name="directory">Where; it is created when it does not exist.</param>
    /// <param name="name">The name of the files without its ending.</param>
    /// <returns>The paths of the two files.</returns>
    /// <exception cref="InvalidOperationException">The key is its owner's (<see cref="TestAuthority.Sign"/>); no file is touched.</exception>
    public (string CertificatePath, string KeyPath) WriteTo(string directory, string name = "certificate")
    {
        var key = Encoding.ASCII.GetBytes(PrivateKeyPem); // Where there is none, no file is touched.
        Directory.CreateDirectory(directory);
        var certificatePath = Path.Combine(directory, name + ".pem");
        var keyPath = Path.Combine(directory, name + ".key");
        WholeFile.Write(certificatePath, ChainPem);
        WholeFile.WriteSecret(keyPath, key);
        return (certificatePath, keyPath);
    }

    /// <summary>The same certificate and key with other companions: none, too many, the wrong ones, another order.</summary>
    /// <param name="certificates">The certificates to send after the leaf, in DER.</param>
    /// <returns>A new object, which the caller disposes.</returns>
    public TestCertificate WithChain(params IEnumerable<ReadOnlyMemory<byte>> certificates) =>
        new(RawCertificate.ToArray(), [.. certificates], Key, Spec, SerialNumber);

    /// <summary>Disposes of the framework objects that were handed out.</summary>
    public void Dispose()
    {
        if (_certificate.IsValueCreated)
        {
            _certificate.Value.Dispose();
        }

        if (_chain.IsValueCreated)
        {
            foreach (var certificate in _chain.Value)
            {
                certificate.Dispose();
            }
        }
    }
}
