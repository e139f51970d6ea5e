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
    private readonly RevocationRegister _revoked = new();
    private readonly Lazy<X509Certificate2> _certificate;
    private int _issued;

    /// <summary>Makes a root: ECDSA on P-256, valid from a day before now for ten years.</summary>
    /// <param name="name">The common name of its subject.</param>
    /// <param name="spec">Changes what the root's certificate says; null leaves it alone.</param>
    /// <param name="timeProvider">The clock that all dates are relative to; null for the system's.</param>
    /// <param name="seed">
    /// Any text: with the same one, the same clock reading and the same calls in the same order, every octet of every key, certificate and
    /// CRL is the same.
    /// Null makes everything random.
    /// </param>
    public TestAuthority(
        string name = "Test Authority",
        Func<CertificateSpec, CertificateSpec>? spec = null,
        TimeProvider? timeProvider = null,
        string? seed = null)
    {
        Clock = timeProvider ?? TimeProvider.System;
        _seed = seed is null ? null : Seed.Of(seed);
        var asked = Templates.Root(Clock.GetUtcNow(), name);
        asked = spec?.Invoke(asked) ?? asked;

        var material = _seed?.Derive("root");
        var key = asked.Key ?? KeyFactory.Generate(asked.KeyAlgorithm, material?.Derive("key"));
        var serial = asked.SerialNumber ?? Templates.SerialNumber(material);
        var self = new Issuer(CertificateEncoder.SubjectOf(asked), key, KeyIdentifier: null);
        AsCertificate = new TestCertificate(CertificateEncoder.Encode(asked, key, serial, self), [], key, asked, serial);
        _issuer = IssuerOf(AsCertificate);
        _certificate = new(() => FrameworkCertificate.Load(AsCertificate.RawCertificate.Span));
    }

    private TestAuthority(TestAuthority parent, TestCertificate certificate, Seed? seed)
    {
        _parent = parent;
        _seed = seed;
        Clock = parent.Clock;
        AsCertificate = certificate;
        _issuer = IssuerOf(certificate);
        _certificate = new(() => FrameworkCertificate.Load(certificate.RawCertificate.Span));
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

    /// <summary>Issues a certificate for a TLS server.</summary>
    /// <param name="names">
    /// Its names, read for what they look like: DNS names (wildcards too), IP addresses, URIs; the first is the common name as well.
    /// </param>
    /// <returns>The certificate, which the caller disposes.</returns>
    public TestCertificate IssueServer(params string[] names) => Issue(names, ExtendedKeyUsage.ServerAuth);

    /// <summary>Issues a certificate for a TLS client.</summary>
    /// <param name="names">
    /// Its names, read for what they look like: DNS names, SPIFFE IDs and other URIs, e-mail and IP addresses; the first is the common name
    /// as well.
    /// </param>
    /// <returns>The certificate, which the caller disposes.</returns>
    public TestCertificate IssueClient(params string[] names) => Issue(names, ExtendedKeyUsage.ClientAuth);

    /// <summary>A client and a server that accept each other, ready to connect.</summary>
    /// <param name="clientName">The client's DNS name, which the server accepts.</param>
    /// <param name="serverName">The server's DNS name, which the client dials.</param>
    /// <returns>The pair, which the caller disposes.</returns>
    public TestPair CreatePair(string clientName = "client.test", string serverName = "server.test") => new(this, clientName, serverName);

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
        return Issue(spec, NextSeed());
    }

    /// <summary>Makes an intermediate authority beneath this one, valid for five years; what it issues carries its certificate along.</summary>
    /// <param name="name">The common name of its subject.</param>
    /// <param name="spec">Changes what its certificate says; null leaves it alone.</param>
    /// <returns>An authority with the same clock, which the caller disposes.</returns>
    public TestAuthority IssueIntermediate(string name = "Test Intermediate", Func<CertificateSpec, CertificateSpec>? spec = null)
    {
        var asked = Templates.Intermediate(Clock.GetUtcNow(), name);
        var seed = NextSeed();
        return new TestAuthority(this, Issue(spec?.Invoke(asked) ?? asked, seed), seed?.Derive("intermediate"));
    }

    /// <summary>Certifies another authority's name and key: a bridge, over which what the other issues leads to this authority's root too.</summary>
    /// <param name="other">The authority to certify.</param>
    /// <param name="spec">Changes what the cross-certificate says; null leaves it alone.</param>
    /// <returns>The other authority as an intermediate of this one, which the caller disposes.</returns>
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
        return new TestAuthority(this, Issue(spec?.Invoke(asked) ?? asked, seed), seed?.Derive("cross"));
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
        _revoked.Remove(certificate.SerialNumber);
    }

    /// <summary>Signs a CRL: by default a full one of everything revoked so far, valid from an hour ago for a week, with the next number.</summary>
    /// <param name="spec">Changes what the CRL says; null leaves it alone.</param>
    public TestCrl IssueCrl(Func<CrlSpec, CrlSpec>? spec = null)
    {
        var now = Clock.GetUtcNow();
        var asked = new CrlSpec
        {
            ThisUpdate = now.AddHours(-1),
            NextUpdate = now.AddDays(7),
            Number = _revoked.NextCrlNumber(),
            Revoked = _revoked.Snapshot(),
        };
        asked = spec?.Invoke(asked) ?? asked;
        return new TestCrl(CrlEncoder.Encode(asked, _issuer), asked);
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
            Answers = [.. answers.Select(answer => answer with { ThisUpdate = now.AddHours(-1), NextUpdate = now.AddDays(1) })],
            ProducedAt = now,
        };
        return OcspEncoder.Encode(spec?.Invoke(asked) ?? asked, _issuer);
    }

    /// <summary>Writes the root's certificate as <c>NAME.pem</c>, overwriting it: the file that <c>--trust</c> and similar options expect.</summary>
    /// <returns>The path of the file.</returns>
    public string WriteTo(string directory, string name = "authority")
    {
        Directory.CreateDirectory(directory);
        var path = Path.Combine(directory, name + ".pem");
        File.WriteAllText(path, Root.CertificatePem);
        return path;
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
        if (names.Length == 0)
        {
            throw new ArgumentException("At least one name is needed; a certificate without a name is made with Issue.", nameof(names));
        }

        return Issue(
            Templates.Leaf(Clock.GetUtcNow(), Dn.CommonName(names[0]), usage) with { OtherNames = [.. names.Select(GeneralName.Guess)] }, NextSeed());
    }

    private TestCertificate Issue(CertificateSpec spec, Seed? seed)
    {
        var key = spec.Key ?? KeyFactory.Generate(spec.KeyAlgorithm, seed?.Derive("key"));
        var serial = spec.SerialNumber ?? Templates.SerialNumber(seed);
        ImmutableArray<ReadOnlyMemory<byte>> chain = _parent is null ? [] : [AsCertificate.RawCertificate, .. AsCertificate.RawChain];
        _revoked.Issued(serial, spec.BasicConstraints is { IsAuthority: true });
        return new TestCertificate(CertificateEncoder.Encode(spec, key, serial, _issuer), chain, key, spec, serial);
    }

    private Seed? NextSeed() => _seed?.Derive($"issue {Interlocked.Increment(ref _issued)}");

    private static Issuer IssuerOf(TestCertificate certificate) => new(
        CertificateEncoder.SubjectOf(certificate.Spec),
        certificate.Key,
        certificate.Spec.SubjectKeyIdentifier.Resolve(CertificateEncoder.KeyIdentifierOf(certificate.Key)));
}
