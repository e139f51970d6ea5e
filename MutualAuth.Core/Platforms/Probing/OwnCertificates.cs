using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MutualAuth.Platforms;

/// <summary>
/// Certificates that no peer trusts, one of each kind of key: a server is asked in memory what it would do with such a key. Each is made when it is
/// first asked for. Not for several threads.
/// </summary>
internal sealed class OwnCertificates : IDisposable
{
    private const string Subject = "CN=" + OwnHello.ServerName;
    private const int RsaBits = 2048;

    private readonly List<X509Certificate2> _made = [];
    private readonly List<SslStreamCertificateContext> _contexts = [];

    /// <summary>All that the platform has, the cheapest first.</summary>
    internal IEnumerable<SslStreamCertificateContext> All
    {
        get
        {
            for (var index = 0; index < Makers.Length; index++)
            {
                if (index == _contexts.Count)
                {
                    _contexts.Add(Make(Makers[index]));
                }

                yield return _contexts[index];
            }
        }
    }

    private static Func<X509Certificate2>[] Makers { get; } =
    [
        () => OnCurve(ECCurve.NamedCurves.nistP256, HashAlgorithmName.SHA256),
        () => OnCurve(ECCurve.NamedCurves.nistP384, HashAlgorithmName.SHA384),
        () => OnCurve(ECCurve.NamedCurves.nistP521, HashAlgorithmName.SHA512),
#pragma warning disable SYSLIB5006 // only where the platform has it
        .. MLDsa.IsSupported
            ? new Func<X509Certificate2>[]
            {
                () => OfMLDsa(MLDsaAlgorithm.MLDsa44), () => OfMLDsa(MLDsaAlgorithm.MLDsa65), () => OfMLDsa(MLDsaAlgorithm.MLDsa87),
            }
            : [],
#pragma warning restore SYSLIB5006
        OfRsa,
    ];

    public void Dispose() => _made.ForEach(certificate => certificate.Dispose());

    private static X509Certificate2 OnCurve(ECCurve curve, HashAlgorithmName hash)
    {
        using var key = ECDsa.Create(curve);
        return SelfSign(new CertificateRequest(Subject, key, hash));
    }

#pragma warning disable SYSLIB5006 // only where the platform has it
    private static X509Certificate2 OfMLDsa(MLDsaAlgorithm algorithm)
    {
        using var key = MLDsa.GenerateKey(algorithm);
        return SelfSign(new CertificateRequest(new X500DistinguishedName(Subject), key));
    }
#pragma warning restore SYSLIB5006

    private static X509Certificate2 OfRsa()
    {
        using var key = RSA.Create(RsaBits);
        return SelfSign(new CertificateRequest(Subject, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    private static X509Certificate2 SelfSign(CertificateRequest request) =>
        request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));

    private SslStreamCertificateContext Make(Func<X509Certificate2> maker)
    {
        var certificate = maker();
        if (OperatingSystem.IsWindows())
        {
            // SChannel takes no key that lives in memory alone.
            using var inMemory = certificate;
            certificate = X509CertificateLoader.LoadPkcs12(inMemory.Export(X509ContentType.Pkcs12), null);
        }

        _made.Add(certificate);
        return SslStreamCertificateContext.Create(certificate, null, offline: true);
    }
}
