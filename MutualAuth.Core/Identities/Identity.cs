using System.Collections.Immutable;
using System.Globalization;
using System.Net.Security;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Identities;
using MutualAuth.Reloading;

namespace MutualAuth;

/// <summary>Our own identity: a certificate, its private key, and the intermediates that lead to an authority.</summary>
/// <remarks>
/// Immutable and safe to share between connections; make one and keep it, as each holds a prepared TLS credential. The private key stays
/// where it was loaded and lives until the identity is garbage collected; nothing here can export it.
/// </remarks>
public sealed class Identity : IIdentitySource, IHasFileRemarks
{
    internal const int MaxFileBytes = 1 << 20;

    private Identity(X509Certificate2 leaf, ImmutableArray<X509Certificate2> intermediates)
    {
        Certificate = Certificate.Parse(leaf.RawDataMemory);
        Intermediates = [.. intermediates.Select(intermediate => Certificate.Parse(intermediate.RawDataMemory))];
        PlatformCertificate = leaf;
        TlsContext = CreateContext(leaf, intermediates);
        Alone = [this];
    }

    /// <summary>The certificate that we present.</summary>
    /// <example><code>Console.WriteLine($"expires at {identity.Certificate.NotAfter:u}");</code></example>
    public Certificate Certificate { get; }

    /// <summary>The intermediates that are sent with it, the issuer of <see cref="Certificate"/> first; the root is never sent.</summary>
    /// <example><code>Console.WriteLine($"{identity.Intermediates.Length} intermediates are sent");</code></example>
    public ImmutableArray<Certificate> Intermediates { get; }

    Identity IIdentitySource.Current => this;

    IReadOnlyCollection<FileRemark> IHasFileRemarks.Remarks => Remarks;

    private IReadOnlyCollection<FileRemark> Remarks { get; set; } = [];

    internal X509Certificate2 PlatformCertificate { get; }

    /// <summary>It and no other, as what is shown to a peer.</summary>
    internal ImmutableArray<Identity> Alone { get; }

    /// <summary>
    /// The certificate, its key and the intermediates in the form in which <c>SslStream</c> and <c>SocketsHttpHandler</c> take them, for TLS of
    /// other libraries. It belongs to this identity: do not dispose of what is in it.
    /// </summary>
    /// <example><code>handler.SslOptions.ClientCertificateContext = identity.TlsContext;</code></example>
    public SslStreamCertificateContext TlsContext { get; }

    /// <summary>Uses a certificate that the framework has loaded together with its private key.</summary>
    /// <param name="certificate">The certificate; the caller owns it and must not dispose of it while the identity is in use.</param>
    /// <param name="intermediates">The intermediates in any order, rollover certificates of an authority (RFC 4210 §4.4) included; a root
    /// among them is left out.</param>
    /// <exception cref="ArgumentNullException"><paramref name="certificate"/> or <paramref name="intermediates"/> is null.</exception>
    /// <exception cref="MaterialException">There is no private key, or the intermediates do not form one chain with the certificate.</exception>
    /// <example><code>var loaded = Identity.From(certificate, intermediate);</code></example>
    public static Identity From(X509Certificate2 certificate, params IEnumerable<X509Certificate2> intermediates)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        ArgumentNullException.ThrowIfNull(intermediates);
        if (!certificate.HasPrivateKey)
        {
            throw new MaterialException($"The certificate {SafeText.Quote(certificate.Subject)} has no private key; load it together with its key.")
            { Problem = MaterialProblem.NoKey };
        }

        return Make(certificate, [.. intermediates]);
    }

    /// <summary>Reads a PEM chain, our own certificate first, and its key.</summary>
    /// <param name="chainPem">One or more CERTIFICATE blocks (RFC 7468), our own first, the intermediates in any order.</param>
    /// <param name="keyPem">The private key: PKCS#8, encrypted PKCS#8, PKCS#1 or SEC 1. It may stand in the same text as the chain.</param>
    /// <param name="password">The password of an encrypted key; empty for a key in the clear.</param>
    /// <exception cref="ArgumentNullException"><paramref name="chainPem"/> or <paramref name="keyPem"/> is null.</exception>
    /// <exception cref="MaterialException">The text holds no certificate or key, the password is wrong, or the key is not
    /// the certificate's.</exception>
    /// <example>
    /// <code>
    /// var read = Identity.FromPem(File.ReadAllText("server.pem"), File.ReadAllText("server.key"), password);
    /// </code>
    /// </example>
    public static Identity FromPem(string chainPem, string keyPem, ReadOnlySpan<char> password = default)
    {
        ArgumentNullException.ThrowIfNull(chainPem);
        ArgumentNullException.ThrowIfNull(keyPem);
        return FromPem(Encoding.UTF8.GetBytes(chainPem), default, Encoding.UTF8.GetBytes(keyPem), default, password);
    }

    /// <summary>Reads a PEM chain and its key from files.</summary>
    /// <param name="chainPath">The chain, our own certificate first.</param>
    /// <param name="keyPath">The key; null when it stands in the same file.</param>
    /// <param name="password">The password of an encrypted key; empty for a key in the clear.</param>
    /// <exception cref="ArgumentNullException"><paramref name="chainPath"/> is null.</exception>
    /// <exception cref="MaterialException">A file cannot be read or used; the message says what to do.</exception>
    /// <example><code>var fromFiles = Identity.FromPemFiles("server.pem", "server.key");</code></example>
    public static Identity FromPemFiles(string chainPath, string? keyPath = null, ReadOnlySpan<char> password = default)
    {
        ArgumentNullException.ThrowIfNull(chainPath);
        var remarks = new List<FileRemark>();
        var chain = FileUse.Identity.Read(chainPath, MaxFileBytes, remarks);
        var key = keyPath is null ? chain : FileUse.Identity.Read(keyPath, MaxFileBytes, remarks);
        var identity = FromPem(chain.Bytes, new PemOrigin(chainPath), key.Bytes, new PemOrigin(key.Path), password);
        identity.Remarks = remarks;
        return identity;
    }

    /// <summary>Uses a PEM chain with a key that is already open, such as one that never leaves its hardware.</summary>
    /// <param name="chainPem">One or more CERTIFICATE blocks (RFC 7468), our own first, the intermediates in any order.</param>
    /// <param name="key">An RSA or EC key; the caller owns it, and may dispose of it afterwards.</param>
    /// <exception cref="ArgumentNullException"><paramref name="chainPem"/> or <paramref name="key"/> is null.</exception>
    /// <exception cref="MaterialException">The text holds no certificate, or the key is not the certificate's.</exception>
    /// <example><code>var withOpenKey = Identity.FromPem(File.ReadAllText("server.pem"), key);</code></example>
    public static Identity FromPem(string chainPem, AsymmetricAlgorithm key)
    {
        ArgumentNullException.ThrowIfNull(chainPem);
        ArgumentNullException.ThrowIfNull(key);
        return FromPem(Encoding.UTF8.GetBytes(chainPem), key, default);
    }

    /// <summary>Uses a PEM chain with an ML-DSA key (RFC 9881) that is already open, such as one that never leaves its hardware.</summary>
    /// <param name="chainPem">One or more CERTIFICATE blocks (RFC 7468), our own first, the intermediates in any order.</param>
    /// <param name="key">The key; the caller owns it, and may dispose of it afterwards.</param>
    /// <exception cref="ArgumentNullException"><paramref name="chainPem"/> or <paramref name="key"/> is null.</exception>
    /// <exception cref="MaterialException">The text holds no certificate, the key is not the certificate's, or the platform has no
    /// ML-DSA.</exception>
    /// <example><code>var quantumSafe = Identity.FromPem(File.ReadAllText("server.pem"), mlDsaKey);</code></example>
    public static Identity FromPem(string chainPem, MLDsa key)
    {
        ArgumentNullException.ThrowIfNull(chainPem);
        ArgumentNullException.ThrowIfNull(key);
        return FromPem(Encoding.UTF8.GetBytes(chainPem), key, default);
    }

    /// <summary>
    /// Reads a PEM chain from a file and opens its key through an OpenSSL engine, such as <c>pkcs11</c>: the key stays in its hardware.
    /// </summary>
    /// <param name="chainPath">The chain, our own certificate first.</param>
    /// <param name="engine">The engine's name. Engines load code into the process: take it from your configuration and from nowhere else.</param>
    /// <param name="keyId">What the engine calls the key; for <c>pkcs11</c> a URI (RFC 7512), such as
    /// <c>pkcs11:token=server;object=key;pin-source=file:/run/pin</c>.</param>
    /// <exception cref="ArgumentNullException"><paramref name="chainPath"/> is null.</exception>
    /// <exception cref="MaterialException">The chain cannot be read, the engine or the key cannot be opened, or the key is not
    /// the certificate's.</exception>
    /// <exception cref="PlatformNotSupportedException">The platform does not use OpenSSL, or an OpenSSL without engines.</exception>
    /// <remarks>Engines end with OpenSSL 3: OpenSSL 4 has none. Prefer <see cref="FromOpenSslProvider"/> where a provider has the key.</remarks>
    /// <example>
    /// <code>
    /// var fromEngine = Identity.FromOpenSslEngine("server.pem", "pkcs11", "pkcs11:token=server;object=key;pin-source=file:/run/pin");
    /// </code>
    /// </example>
    [UnsupportedOSPlatform("android")]
    [UnsupportedOSPlatform("browser")]
    [UnsupportedOSPlatform("ios")]
    [UnsupportedOSPlatform("tvos")]
    [UnsupportedOSPlatform("windows")]
    public static Identity FromOpenSslEngine(string chainPath, string engine, string keyId)
    {
        ArgumentNullException.ThrowIfNull(chainPath);
        using var key = OpenSslKey.FromEngine(engine, keyId);
        return FromPem(BoundedFile.ReadBytes(chainPath, MaxFileBytes), key, new PemOrigin(chainPath));
    }

    /// <summary>
    /// Reads a PEM chain from a file and opens its key through an OpenSSL provider, such as <c>tpm2</c> or <c>pkcs11</c>:
    /// the key stays in its hardware.
    /// </summary>
    /// <param name="chainPath">The chain, our own certificate first.</param>
    /// <param name="provider">The provider's name. Providers load code into the process: take it from your configuration
    /// and from nowhere else.</param>
    /// <param name="keyUri">What the provider calls the key, such as <c>handle:0x81000007</c>.</param>
    /// <exception cref="ArgumentNullException"><paramref name="chainPath"/> is null.</exception>
    /// <exception cref="MaterialException">The chain cannot be read, the provider or the key cannot be opened, or the key is not
    /// the certificate's.</exception>
    /// <exception cref="PlatformNotSupportedException">The platform does not use OpenSSL 3 or later.</exception>
    /// <example><code>var fromProvider = Identity.FromOpenSslProvider("server.pem", "tpm2", "handle:0x81000007");</code></example>
    [UnsupportedOSPlatform("android")]
    [UnsupportedOSPlatform("browser")]
    [UnsupportedOSPlatform("ios")]
    [UnsupportedOSPlatform("tvos")]
    [UnsupportedOSPlatform("windows")]
    public static Identity FromOpenSslProvider(string chainPath, string provider, string keyUri)
    {
        ArgumentNullException.ThrowIfNull(chainPath);
        using var key = OpenSslKey.FromProvider(provider, keyUri);
        return FromPem(BoundedFile.ReadBytes(chainPath, MaxFileBytes), key, new PemOrigin(chainPath));
    }

    /// <summary>
    /// Takes a certificate with its key from a store of the platform, and the intermediates from the store of authorities beside it.
    /// </summary>
    /// <param name="name">The store, such as <see cref="StoreName.My"/>.</param>
    /// <param name="location">Whose store.</param>
    /// <param name="thumbprint">The certificate: SHA-256 (64 hexadecimal digits), or SHA-1 (40) as some tools show it. Colons
    /// and spaces do not count.</param>
    /// <exception cref="ArgumentNullException"><paramref name="thumbprint"/> is null.</exception>
    /// <exception cref="MaterialException">There is no such store or certificate, or its key is not there.</exception>
    /// <example>
    /// <code>
    /// var fromStore = Identity.FromStore(StoreName.My, StoreLocation.CurrentUser, certificate.Thumbprint);
    /// </code>
    /// </example>
    public static Identity FromStore(StoreName name, StoreLocation location, string thumbprint)
    {
        ArgumentNullException.ThrowIfNull(thumbprint);
        return StoreIdentity.Load(name, location, thumbprint);
    }

    /// <summary>Reads a PKCS#12 file (<c>.p12</c>, <c>.pfx</c>; RFC 7292): the one certificate with a key, and the others as intermediates.</summary>
    /// <param name="path">The file.</param>
    /// <param name="password">Its password; empty for none.</param>
    /// <exception cref="ArgumentNullException"><paramref name="path"/> is null.</exception>
    /// <exception cref="MaterialException">The file cannot be read, the password is wrong, or it does not hold exactly one private key.</exception>
    /// <example><code>var fromPkcs12 = Identity.FromPkcs12File("server.p12", password);</code></example>
    public static Identity FromPkcs12File(string path, ReadOnlySpan<char> password = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        return ReadPkcs12(path, password, choose: null);
    }

    /// <summary>
    /// Reads a PKCS#12 file (<c>.p12</c>, <c>.pfx</c>; RFC 7292) that holds several private keys: the certificate that is chosen, its key,
    /// and the intermediates of its chain.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="password">Its password; empty for none.</param>
    /// <param name="choose">Is asked for each certificate with a private key, and says whether it is ours: by <see cref="Certificate.Thumbprint"/>,
    /// by a name, by <see cref="Certificate.SubjectKeyIdentifier"/>. It must say so of exactly one. Aliases of key stores are not known.</param>
    /// <exception cref="ArgumentNullException"><paramref name="path"/> or <paramref name="choose"/> is null.</exception>
    /// <exception cref="MaterialException">The file cannot be read, the password is wrong, or none or several are chosen; the message lists the
    /// certificates with a private key.</exception>
    /// <example>
    /// <code>
    /// var chosen = Identity.FromPkcs12File("servers.p12", password, certificate => certificate.DnsNames.Contains("server.example"));
    /// </code>
    /// </example>
    public static Identity FromPkcs12File(string path, ReadOnlySpan<char> password, Func<Certificate, bool> choose)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(choose);
        return ReadPkcs12(path, password, choose);
    }

    /// <summary>The certificate that we present, and its expiry; safe to log.</summary>
    /// <example><code>Console.WriteLine(identity.ToString());</code></example>
    public override string ToString() => $"{Certificate}, valid until {UtcText.Of(Certificate.NotAfter)}";

    private static Identity ReadPkcs12(string path, ReadOnlySpan<char> password, Func<Certificate, bool>? choose)
    {
        var remarks = new List<FileRemark>();
        var identity = FromPkcs12(FileUse.Identity.Read(path, MaxFileBytes, remarks).Bytes, password, new PemOrigin(path), choose);
        identity.Remarks = remarks;
        return identity;
    }

    internal static Identity FromPkcs12(byte[] bytes, ReadOnlySpan<char> password, PemOrigin origin, Func<Certificate, bool>? choose = null)
    {
        var all = Pkcs12File.Read(bytes, password, origin);
        var held = all.Where(certificate => certificate.HasPrivateKey).ToArray();
        var own = Pkcs12File.Choose(held, choose, origin);
        return Make(own, all.Where(certificate => !certificate.HasPrivateKey), mayHaveOthers: held.Length > 1);
    }

    internal static Identity FromPem(
        ReadOnlyMemory<byte> chainPem, PemOrigin chain, ReadOnlyMemory<byte> keyPem, PemOrigin key, ReadOnlySpan<char> password)
    {
        var certificates = ReadChain(chainPem, chain);
        return From(PrivateKeyPem.Attach(certificates[0], keyPem, password, key), certificates.Skip(1));
    }

    internal static Identity FromPem(ReadOnlyMemory<byte> chainPem, IDisposable key, PemOrigin origin)
    {
        var certificates = ReadChain(chainPem, origin);
        try
        {
            return From(OpenSslKey.Attach(certificates[0], key), certificates.Skip(1));
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            throw new MaterialException(
                $"The key that was given is not that of the first certificate in {origin.Name}, {SafeText.Quote(certificates[0].Subject)}. Put our "
                    + $"own certificate first, or have one issued for this key. {exception.Message}",
                exception)
            { Problem = MaterialProblem.KeyMismatch };
        }
    }

    private static Identity Make(X509Certificate2 certificate, IEnumerable<X509Certificate2> intermediates, bool mayHaveOthers = false)
    {
        try
        {
            ThrowIfNobodyAccepts(Certificate.Parse(certificate.RawDataMemory));
            var chain = ChainOf(certificate, intermediates, mayHaveOthers);
            foreach (var sent in chain.Prepend(certificate))
            {
                ThrowIfSignedWeakly(Certificate.Parse(sent.RawDataMemory));
            }

            return new Identity(certificate, chain);
        }
        catch (Exception exception) when (exception is CryptographicException or FormatException)
        {
            throw new MaterialException($"The certificate {SafeText.Quote(certificate.Subject)} cannot be used: {exception.Message}", exception);
        }
    }

    /// <summary>The certificates of a PEM file, which may hold the key and other blocks that are no certificates, too.</summary>
    private static List<X509Certificate2> ReadChain(ReadOnlyMemory<byte> pem, PemOrigin origin)
    {
        var certificates = new List<X509Certificate2>();
        var reader = new PemReader(pem.Span, origin.Source);
        while (reader.TryRead(out var block))
        {
            if (block.Label is "TRUSTED CERTIFICATE" or "PKCS7" or "CMS")
            {
                throw new MaterialException(
                    $"{origin.Source}: PEM block {block.Number} is a {block.Label}. {CertificatePem.WithoutIt(block.Label, origin)}")
                { Problem = MaterialProblem.NoCertificate };
            }

            if (block.IsCertificate)
            {
                CertificatePem.ThrowIfCut(reader, block);
                certificates.Add(Load(block, origin, isOwn: certificates.Count == 0));
            }
        }

        return certificates.Count > 0
            ? certificates
            : throw new MaterialException(
                $"{origin.Source} holds no PEM certificate; "
                    + $"{BinaryForms.WayToPem(BinaryForms.Of(pem), origin, "CERTIFICATES")
                        ?? "a block that begins with -----BEGIN CERTIFICATE----- is expected"}.")
            { Problem = MaterialProblem.NoCertificate };
    }

    private static X509Certificate2 Load(PemBlock block, PemOrigin origin, bool isOwn)
    {
        try
        {
            var loaded = X509CertificateLoader.LoadCertificate(block.Contents.Span);
            if (isOwn || !IsUnreadableRoot(loaded))
            {
                var read = CertificatePem.Parse(block.Contents, origin.Source, $"PEM block {block.Number}");
                if (isOwn)
                {
                    ThrowIfNobodyAccepts(read);
                }
            }

            return loaded;
        }
        catch (CryptographicException exception)
        {
            throw new MaterialException(
                $"{origin.Source}: PEM block {block.Number} is a certificate that the platform cannot read: {exception.Message}", exception)
            { Problem = MaterialProblem.NoCertificate };
        }
    }

    /// <summary>TLS would send it, and every peer of this library would reject it.</summary>
    private static void ThrowIfNobodyAccepts(Certificate certificate)
    {
        if (!certificate.PublicKey.IsVerifiableHere)
        {
            throw new MaterialException(
                $"The certificate {certificate} cannot be used: it has {certificate.PublicKey.Description}, {WhyNot(certificate.PublicKey)}.")
            { Problem = MaterialProblem.NoKey };
        }
    }

    private static string WhyNot(PublicKeyInfo key) => key.MLDsa is not null
        ? $"and {MLDsaSet.Missing}"
        : (key.Kind == PublicKeyKind.Ed25519
            ? "which is strong, and which the platform's TLS cannot present"
            : "which is not supported, and no peer of this library accepts it") + $". {PrivateKeyPem.GiveAnother}";

    /// <summary>Every peer of this library would reject it, and OpenSSL does not refuse to send it from 3.5 on.</summary>
    private static void ThrowIfSignedWeakly(Certificate certificate)
    {
        if (!certificate.IsSelfIssued && SignatureScheme.IsBroken(certificate.SignatureAlgorithm))
        {
            throw new MaterialException(
                $"The certificate {certificate} cannot be used: its signature is over MD5 or SHA-1, which no peer of this library "
                    + "accepts. Have it issued again with a SHA-256 signature.")
            { Problem = MaterialProblem.TooWeak };
        }
    }

    /// <summary>
    /// The intermediates in issuing order. Each must be used: an intermediate that is not sent is a mistake that the peer would report as an unknown
    /// authority.
    /// </summary>
    private static ImmutableArray<X509Certificate2> ChainOf(X509Certificate2 leaf, IEnumerable<X509Certificate2> others, bool mayHaveOthers)
    {
        var own = Certificate.Parse(leaf.RawDataMemory);
        var pool = others.Where(candidate => !IsUnreadableRoot(candidate))
            .Select(candidate => (Platform: candidate, Certificate: Certificate.Parse(candidate.RawDataMemory)))
            .DistinctBy(candidate => candidate.Certificate)
            .ToList();
        pool.RemoveAll(
            candidate => candidate.Certificate.Equals(own)
                || (candidate.Certificate.IsSelfIssued && MaySign(candidate.Certificate, candidate.Certificate)));
        var chain = ImmutableArray.CreateBuilder<X509Certificate2>();
        var sent = new List<Certificate>();
        var last = own;
        while (pool.Find(
            candidate => candidate.Certificate.Subject.Equals(last.Issuer) && MaySign(candidate.Certificate, last)) is { Platform: not null } issuer)
        {
            pool.Remove(issuer);
            if (issuer.Certificate.IsSelfIssued
                && sent.Exists(earlier => earlier.Subject.Equals(issuer.Certificate.Issuer) && MaySign(earlier, issuer.Certificate)))
            {
                // The other half of a rollover, old with new: it leads back to a key that is on the way already.
                continue;
            }

            chain.Add(issuer.Platform);
            sent.Add(issuer.Certificate);
            last = issuer.Certificate;
        }

        return pool.Count == 0 || mayHaveOthers
            ? chain.ToImmutable()
            : throw new MaterialException(
                $"{SafeText.Quote(pool[0].Platform.Subject)} is no part of the chain of {SafeText.Quote(leaf.Subject)}, which asks for "
                    + $"{SafeText.Quote(last.Issuer.ToString())} next; remove it, or add what is missing between them.")
            { Problem = MaterialProblem.BrokenChain };
    }

    /// <summary>Whether one certificate's key made the other's signature; true if this platform cannot verify it, as the peer will.</summary>
    private static bool MaySign(Certificate issuer, Certificate subject) =>
        !subject.Scheme.IsVerifiableHere || !issuer.PublicKey.IsVerifiableHere
        || issuer.PublicKey.Verify(subject.Scheme, subject.Signed.Span, subject.Signature.Span);

    /// <summary>A root is not sent, so how it is written does not matter.</summary>
    private static bool IsUnreadableRoot(X509Certificate2 candidate) =>
        candidate.SubjectName.RawData.AsSpan().SequenceEqual(candidate.IssuerName.RawData)
            && !Certificate.TryParse(candidate.RawDataMemory, out _, out _);

    private static SslStreamCertificateContext CreateContext(X509Certificate2 leaf, ImmutableArray<X509Certificate2> intermediates)
    {
        // Offline: without it the platform would fetch issuers from addresses that stand in the certificate.
        var context = SslStreamCertificateContext.Create(leaf, [.. intermediates], offline: true);
        if (context.IntermediateCertificates.Count != intermediates.Length)
        {
            throw new MaterialException(
                $"The platform would send {context.IntermediateCertificates.Count} of the {intermediates.Length} intermediates of "
                    + $"{SafeText.Quote(leaf.Subject)}; check that each one's signature and dates are right.")
            { Problem = MaterialProblem.BrokenChain };
        }

        IdentityProbe.Examine(leaf, context);
        return context;
    }
}
