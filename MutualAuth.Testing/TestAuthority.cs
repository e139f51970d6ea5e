using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Numerics;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Testing.Building;
using MutualAuth.Testing.Revocation;

namespace MutualAuth.Testing;

/// <summary>A certification authority for a test, which nothing else trusts.</summary>
/// <remarks>
/// Safe for concurrent use; only with a seed does the order of the calls matter to what comes out. Disposing of it disposes of its own framework
/// objects, and not of what it issued.
/// </remarks>
public sealed class TestAuthority : IDisposable
{
    private readonly TestAuthority? _parent;
    private readonly Seed? _seed;
    private readonly Issuer _issuer;
    private readonly RevocationRegister _revoked;
    private readonly ConcurrentDictionary<(string Name, string Key), RevocationRegister> _below = new();
    private readonly Lazy<X509Certificate2> _certificate;
    private int _issued;
    private int _strangers;

    /// <summary>
    /// Makes a root: ECDSA on P-256, valid from a day before now for ten years. With the name and the <c>AsCertificate.Key</c> of an earlier one,
    /// or with the same key of yours, it is the same issuer, whose certificate is renewed so: they revoke in one list and number it together. A
    /// key of <see cref="TestKey.Shared"/> makes each authority that is given it an issuer of its own, and so does, for an authority with a seed,
    /// a key that is of none.
    /// </summary>
    /// <param name="name">The common name of its subject.</param>
    /// <param name="spec">Changes what the root's certificate says; null leaves it alone.</param>
    /// <param name="timeProvider">The clock that all dates are relative to; null for the system's.</param>
    /// <param name="seed">
    /// Any text: with the same one, the same clock reading and the same calls in the same order, every octet of every key, certificate and
    /// CRL is the same, in the exhibits of the gallery and in what responders forge too. Keys that you give sign reproducibly as well. Null makes
    /// everything random.
    /// </param>
    public TestAuthority(
        string name = "Test Authority",
        Func<CertificateSpec, CertificateSpec>? spec = null,
        TimeProvider? timeProvider = null,
        string? seed = null)
        : this(name, spec, timeProvider ?? TimeProvider.System, seed is null ? null : Seed.Of(seed))
    {
    }

    internal TestAuthority(string name, Func<CertificateSpec, CertificateSpec>? spec, TimeProvider clock, Seed? seed)
    {
        Clock = clock;
        _seed = seed;
        var asked = Templates.Root(Clock.GetUtcNow(), name);
        asked = spec?.Invoke(asked) ?? asked;

        var material = _seed?.Derive("root");
        var key = (Own(asked.Key) ?? KeyFactory.Generate(asked.KeyAlgorithm, material?.Derive("key"))).ForAuthority();
        var serial = asked.SerialNumber ?? Templates.SerialNumber(material);
        var self = new Issuer(CertificateEncoder.SubjectOf(asked), key, KeyIdentifier: null);
        AsCertificate = new TestCertificate(CertificateEncoder.Encode(Own(asked), key, serial, self), [], key, asked, serial);
        _issuer = IssuerOf(AsCertificate);
        _revoked = RegisterOf(_issuer);
        _certificate = new(() => FrameworkCertificate.Load(AsCertificate.RawCertificate.Span));
    }

    private TestAuthority(
        TestAuthority? parent, TestCertificate certificate, TimeProvider clock, Seed? seed, RevocationRegister? revoked = null)
    {
        _parent = parent;
        _seed = seed;
        Clock = clock;
        AsCertificate = certificate;
        _issuer = IssuerOf(certificate);
        _revoked = revoked ?? RegisterOf(_issuer);
        _certificate = new(() => FrameworkCertificate.Load(certificate.RawCertificate.Span));
    }

    /// <summary>
    /// An authority that exists already: the one whose root your programs trust, so that the kit need not be introduced to them. What it revokes
    /// and how its lists are numbered begins with nothing.
    /// </summary>
    /// <param name="certificatePem">Its certificate; where it is an intermediate, followed by those above it, up to the root.</param>
    /// <param name="keyPem">Its private key, in a form that <see cref="TestKey.FromPem"/> reads.</param>
    /// <param name="password">The password of an encrypted key; null where it is not encrypted.</param>
    /// <param name="timeProvider">The clock that all dates are relative to; null for the system's.</param>
    /// <param name="seed">As in the constructor, for what it issues.</param>
    /// <returns>The authority, which the caller disposes.</returns>
    /// <exception cref="ArgumentNullException">A certificate or a key is missing.</exception>
    /// <exception cref="ArgumentException">There is no certificate or no key in what was given, or they do not belong together.</exception>
    /// <example>
    /// <code>
    /// using var authority = TestAuthority.FromPem(File.ReadAllText("rootCA.pem"), File.ReadAllText("rootCA-key.pem"));
    /// using var server = authority.IssueServer("localhost");
    /// </code>
    /// </example>
    public static TestAuthority FromPem(
        string certificatePem, string keyPem, string? password = null, TimeProvider? timeProvider = null, string? seed = null)
    {
        ArgumentNullException.ThrowIfNull(certificatePem);
        var key = TestKey.FromPem(keyPem, password);
        key = seed is null ? key : key.Reproducible();
        var chain = ExistingCertificate.Read(certificatePem, key);
        var clock = timeProvider ?? TimeProvider.System;
        TestAuthority? above = null;
        for (var i = chain.Count - 1; i > 0; i--)
        {
            above = new TestAuthority(above, chain[i], clock, seed: null);
        }

        return new TestAuthority(above, chain[0], clock, seed is null ? null : Seed.Of(seed));
    }

    /// <summary>The authority's own certificate, without its key. Do not dispose it.</summary>
    /// <exception cref="NotSupportedException">It was made so wrong that the framework cannot read it.</exception>
    public X509Certificate2 Certificate => _certificate.Value;

    /// <summary>The authority's own certificate in PEM.</summary>
    public string CertificatePem => AsCertificate.CertificatePem;

    /// <summary>The authority's own certificate with its key, as if it were a peer's: no server should accept it.</summary>
    public TestCertificate AsCertificate { get; }

    /// <summary>
    /// What others must trust so that what this authority issues is accepted: the root at the top of it, alone. Do not dispose its
    /// certificate.
    /// </summary>
    public X509Certificate2Collection ToCertificateCollection() => [Root.Certificate];

    /// <summary>The same as options of this library take it.</summary>
    public TrustAnchors ToTrustAnchors() => TrustAnchors.From(Root.Certificate);

    /// <summary>The authority at the top: this one, when it is a root.</summary>
    public TestAuthority Root => _parent?.Root ?? this;

    /// <summary>The clock that dates are relative to.</summary>
    public TimeProvider Clock { get; }

    internal Issuer Issuer => _issuer;

    internal RevocationRegister Revoked => _revoked;

    /// <summary>What a stranger is made of, who has nothing to do with this authority but its seed; null where all is random.</summary>
    internal Seed? NextStranger() => _seed?.Derive($"stranger {Interlocked.Increment(ref _strangers)}");

    /// <summary>A key of a stranger to this authority.</summary>
    internal TestKey StrangeKey() => KeyFactory.Generate(KeyAlgorithm.EcdsaP256, NextStranger()?.Derive("key"));

    /// <summary>A key that is made once: for the process, or for this seed.</summary>
    internal TestKey SharedKey(KeyAlgorithm algorithm, int index = 0) =>
        _seed is null ? TestKey.Shared(algorithm, index) : KeyFactory.Generate(algorithm, _seed.Derive($"shared {algorithm} {index}"));

    /// <summary>Issues a certificate for a TLS server.</summary>
    /// <param name="names">
    /// Its names, read for what they look like (<see cref="GeneralName.Guess"/>): DNS names (wildcards too), IP addresses, URIs. The first is
    /// the common name as well; where it has more than 64 characters, which a common name cannot hold, the subject is empty and the
    /// alternative names are critical.
    /// </param>
    /// <returns>The certificate, which the caller disposes.</returns>
    /// <exception cref="ArgumentException">There is no name, or one that could mean several things.</exception>
    public TestCertificate IssueServer(params string[] names) => Issue(names, ExtendedKeyUsage.ServerAuth);

    /// <summary>Issues a certificate for a TLS client.</summary>
    /// <param name="names">
    /// Its names, read for what they look like (<see cref="GeneralName.Guess"/>): DNS names, SPIFFE IDs and other URIs, e-mail and IP
    /// addresses. The first is the common name as well; where it has more than 64 characters, which a common name cannot hold, the subject is
    /// empty and the alternative names are critical.
    /// </param>
    /// <returns>The certificate, which the caller disposes.</returns>
    /// <exception cref="ArgumentException">There is no name, or one that could mean several things.</exception>
    public TestCertificate IssueClient(params string[] names) => Issue(names, ExtendedKeyUsage.ClientAuth);

    /// <summary>A client and a server that accept each other, ready to connect.</summary>
    /// <param name="clientName">The client's DNS name, which the server accepts; one in another script becomes its A-labels.</param>
    /// <param name="serverName">The server's DNS name or IP address, which the client dials; likewise.</param>
    /// <returns>The pair, which the caller disposes.</returns>
    /// <exception cref="ArgumentNullException">A name is null.</exception>
    /// <exception cref="ArgumentException">A name is empty, could mean several things, or has no form in ASCII.</exception>
    /// <exception cref="FormatException"><paramref name="clientName"/> is no DNS name.</exception>
    public TestPair CreatePair(string clientName = "client.test", string serverName = "server.test")
    {
        ArgumentNullException.ThrowIfNull(clientName);
        ArgumentNullException.ThrowIfNull(serverName);
        return new TestPair(this, clientName, serverName);
    }

    /// <summary>Issues whatever certificate you describe.</summary>
    /// <param name="spec">
    /// Changes a specification of a nameless leaf for both roles (digital signature; server and client authentication; thirty days), for instance
    /// <c>spec =&gt; spec with { DnsNames = ["a.test"], NotAfter = spec.NotBefore }</c>.
    /// </param>
    /// <returns>The certificate, which the caller disposes.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="spec"/> is null.</exception>
    public TestCertificate Issue(Func<CertificateSpec, CertificateSpec> spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return Issue(spec(Templates.Leaf(Clock.GetUtcNow(), "CN=Test Leaf", ExtendedKeyUsage.ServerAuth, ExtendedKeyUsage.ClientAuth)));
    }

    /// <summary>Issues the certificate that <paramref name="spec"/> describes, to the letter.</summary>
    /// <returns>The certificate, which the caller disposes.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="spec"/> is null.</exception>
    public TestCertificate Issue(CertificateSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return Issue(spec.DatedAt(Clock.GetUtcNow()), NextSeed());
    }

    /// <summary>Issues a certificate for a key that stays with its owner: signs a request (PKCS#10, RFC 2986).</summary>
    /// <param name="requestPem">The request in PEM, whose own signature must be right: it shows that the key is there.</param>
    /// <param name="spec">
    /// Changes the certificate: a leaf for thirty days with the subject, the alternative names and the extended key usages of the request, server
    /// and client authentication where it asks for none. Nothing else is taken from the request. Null leaves it alone.
    /// </param>
    /// <returns>The certificate, whose private key is not in it; the caller disposes it.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="requestPem"/> is null.</exception>
    /// <exception cref="ArgumentException">It is no request, its signature is wrong, or its key is of a kind that the kit does not know.</exception>
    /// <example><code>File.WriteAllText("device.pem", authority.Sign(File.ReadAllText("device.csr")).ChainPem);</code></example>
    public TestCertificate Sign(string requestPem, Func<CertificateSpec, CertificateSpec>? spec = null)
    {
        ArgumentNullException.ThrowIfNull(requestPem);
        var asked = SigningRequest.Read(
            requestPem, Templates.Leaf(Clock.GetUtcNow(), string.Empty, ExtendedKeyUsage.ServerAuth, ExtendedKeyUsage.ClientAuth));
        return Issue(spec?.Invoke(asked) ?? asked, NextSeed());
    }

    /// <summary>Makes an intermediate authority beneath this one, valid for five years; what it issues carries its certificate along.</summary>
    /// <param name="name">The common name of its subject.</param>
    /// <param name="spec">Changes what its certificate says; null leaves it alone.</param>
    /// <returns>
    /// An authority with the same clock, which the caller disposes. Where an earlier one of this authority has the same name and key, whose
    /// certificate is renewed so, it is the same issuer: they revoke in one list and number it together.
    /// </returns>
    public TestAuthority IssueIntermediate(string name = "Test Intermediate", Func<CertificateSpec, CertificateSpec>? spec = null)
    {
        var asked = Templates.Intermediate(Clock.GetUtcNow(), name);
        var seed = NextSeed();
        var certificate = Issue(spec?.Invoke(asked) ?? asked, seed);
        return new TestAuthority(this, certificate, Clock, seed?.Derive("intermediate"), RegisterOf(certificate));
    }

    /// <summary>Certifies another authority's name and key: a bridge, over which what the other issues leads to this authority's root too.</summary>
    /// <param name="other">The authority to certify.</param>
    /// <param name="spec">Changes what the cross-certificate says; null leaves it alone.</param>
    /// <returns>
    /// The other authority as an intermediate of this one, which the caller disposes. It has the other's name and key, and so they revoke in
    /// one list and number it together.
    /// </returns>
    /// <exception cref="ArgumentNullException"><paramref name="other"/> is null.</exception>
    public TestAuthority CrossSign(TestAuthority other, Func<CertificateSpec, CertificateSpec>? spec = null)
    {
        ArgumentNullException.ThrowIfNull(other);
        var asked = Templates.Intermediate(Clock.GetUtcNow(), "unused") with
        {
            Subject = other.AsCertificate.Spec.Subject,
            RawSubject = other.AsCertificate.Spec.RawSubject,
            Key = other.AsCertificate.Key,
        };
        var seed = NextSeed();
        return new TestAuthority(this, Issue(spec?.Invoke(asked) ?? asked, seed), Clock, seed?.Derive("cross"), other._revoked);
    }

    /// <summary>Revokes a certificate as of now: every CRL made from here on lists it.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="certificate"/> is null.</exception>
    public void Revoke(TestCertificate certificate, X509RevocationReason reason = X509RevocationReason.Unspecified)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        Revoke(certificate.SerialNumber, reason);
    }

    /// <summary>Revokes a serial number as of now, whether or not a certificate has it.</summary>
    public void Revoke(BigInteger serialNumber, X509RevocationReason reason = X509RevocationReason.Unspecified) =>
        _revoked.Add(new RevokedCertificate(serialNumber, Clock.GetUtcNow(), reason));

    /// <summary>Takes a revocation back, as the end of a hold does.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="certificate"/> is null.</exception>
    public void Reinstate(TestCertificate certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        _revoked.Remove(certificate.SerialNumber, Clock.GetUtcNow());
    }

    /// <summary>
    /// Signs a CRL: by default a full one of everything revoked so far, with the next number, for a week. It is dated an hour back, or to the
    /// last revocation or reinstatement, if that was later: a list is not older than what it lists.
    /// </summary>
    /// <param name="spec">Changes what the CRL says; null leaves it alone.</param>
    public TestCrl IssueCrl(Func<CrlSpec, CrlSpec>? spec = null)
    {
        var now = Clock.GetUtcNow();
        var asked = new CrlSpec
        {
            ThisUpdate = _revoked.KnownSince(now),
            NextUpdate = now.ShiftDays(7),
            Number = _revoked.NextCrlNumber(),
            Revoked = _revoked.Snapshot(),
        };
        asked = spec?.Invoke(asked) ?? asked;
        return new TestCrl(CrlEncoder.Encode(asked with { SigningKey = Own(asked.SigningKey) }, _issuer), asked);
    }

    /// <summary>
    /// Signs an OCSP response about one certificate: good, revoked, or unknown when this authority has not issued it; fit for stapling too.
    /// </summary>
    /// <param name="certificate">Of whom it speaks.</param>
    /// <param name="spec">Changes what the response says; null leaves it alone.</param>
    /// <returns>The response in DER.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="certificate"/> is null.</exception>
    public byte[] IssueOcspResponse(TestCertificate certificate, Func<OcspSpec, OcspSpec>? spec = null)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return IssueOcspResponse([_revoked.StatusOf(certificate.SerialNumber)], spec);
    }

    internal byte[] IssueOcspResponse(IEnumerable<OcspAnswer> answers, Func<OcspSpec, OcspSpec>? spec)
    {
        var now = Clock.GetUtcNow();
        var asked = new OcspSpec
        {
            Answers = [.. answers.Select(answer => answer with { ThisUpdate = _revoked.KnownSince(now), NextUpdate = now.ShiftDays(1) })],
            ProducedAt = now,
        };
        asked = spec?.Invoke(asked) ?? asked;
        return OcspEncoder.Encode(asked with { SigningKey = Own(asked.SigningKey) }, _issuer);
    }

    /// <summary>
    /// Writes the certificate of the root, which is what others trust, as <c>NAME.pem</c>, in one step in the place of what lay there: the file
    /// that <c>--trust</c> and similar options expect. The certificate of an intermediate is written with <c>AsCertificate.WriteTo</c>.
    /// </summary>
    /// <returns>The path of the file.</returns>
    public string WriteTo(string directory, string name = "authority")
    {
        Directory.CreateDirectory(directory);
        var path = Path.Combine(directory, name + ".pem");
        WholeFile.Write(path, Root.CertificatePem);
        return path;
    }

    /// <summary>
    /// The certificate of the root, which is what others trust, as PKCS#12 without a key: what Java calls a trust store, for
    /// <c>javax.net.ssl.trustStore</c>.
    /// </summary>
    /// <param name="password">The password, in any script; Java wants one, and Java 17 takes none beyond ASCII.</param>
    /// <param name="alias">Its name in the store.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="NotSupportedException">The certificate is malformed.</exception>
    public byte[] ToTrustPkcs12(string password, string alias = "authority")
    {
        ArgumentNullException.ThrowIfNull(password);
        ArgumentNullException.ThrowIfNull(alias);
        return Pkcs12.WriteTrust(alias, Root.AsCertificate, password);
    }

    /// <summary>Disposes of the authority's own framework objects.</summary>
    public void Dispose()
    {
        AsCertificate.Dispose();
        if (_certificate.IsValueCreated)
        {
            _certificate.Value.Dispose();
        }
    }

    private TestCertificate Issue(string[] names, string usage)
    {
        ArgumentNullException.ThrowIfNull(names);
        if (names.Length == 0 || names.Any(string.IsNullOrEmpty))
        {
            throw new ArgumentException(
                "At least one name is needed, and none that is empty; a certificate without a name is made with Issue.", nameof(names));
        }

        return Issue(
            Templates.Leaf(Clock.GetUtcNow(), Dn.SubjectOf(names[0]), usage) with { OtherNames = [.. names.Select(GeneralName.Guess)] }, NextSeed());
    }

    private TestCertificate Issue(CertificateSpec spec, Seed? seed)
    {
        var key = Own(spec.Key) ?? KeyFactory.Generate(spec.KeyAlgorithm, seed?.Derive("key"));
        var serial = spec.SerialNumber ?? Templates.SerialNumber(seed);
        ImmutableArray<ReadOnlyMemory<byte>> chain = _parent is null ? [] : [AsCertificate.RawCertificate, .. AsCertificate.RawChain];
        _revoked.Issued(serial, spec.BasicConstraints is { IsAuthority: true });
        return new TestCertificate(CertificateEncoder.Encode(Own(spec), key, serial, _issuer), chain, key, spec, serial);
    }

    /// <summary>A key that was given, which makes the same signatures each time where a seed decides everything else.</summary>
    private TestKey? Own(TestKey? key) => _seed is null ? key : key?.Reproducible();

    private CertificateSpec Own(CertificateSpec spec) => spec with { SigningKey = Own(spec.SigningKey) };

    private RevocationRegister RegisterOf(TestCertificate intermediate) => _below.GetOrAdd(
        (Convert.ToHexString(CertificateEncoder.SubjectOf(intermediate.Spec).GetDerEncoded()),
            Convert.ToHexString(intermediate.Key.SubjectPublicKeyInfo.Span)),
        _ => RegisterOf(IssuerOf(intermediate)));

    private static RevocationRegister RegisterOf(Issuer issuer) => issuer.Key.ForAuthority().RegisterOf(issuer.Name.GetDerEncoded());

    private Seed? NextSeed() => _seed?.Derive($"issue {Interlocked.Increment(ref _issued)}");

    private static Issuer IssuerOf(TestCertificate certificate) => new(
        CertificateEncoder.SubjectOf(certificate.Spec),
        certificate.Key,
        certificate.Spec.SubjectKeyIdentifier.Resolve(CertificateEncoder.KeyIdentifierOf(certificate.Spec, certificate.Key)));
}
