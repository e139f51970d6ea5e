using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MutualAuth.Benchmarks.TlsSession;

/// <summary>A root, an intermediate, and a leaf for either end, all on P-256.</summary>
internal sealed class Material : IDisposable
{
    private readonly ECDsa _rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly ECDsa _issuerKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _root;

    internal Material()
    {
        var root = new CertificateRequest("CN=root", _rootKey, HashAlgorithmName.SHA256);
        root.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _root = root.CreateSelfSigned(From, Until);
        var issuer = new CertificateRequest("CN=issuer", _issuerKey, HashAlgorithmName.SHA256);
        issuer.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        Issuer = issuer.Create(_root.SubjectName, X509SignatureGenerator.CreateForECDsa(_rootKey), From, Until, [1]);
        Leaf = Issue("leaf.test", 2);
    }

    internal X509Certificate2 Issuer { get; }

    internal X509Certificate2 Leaf { get; }

    private static DateTimeOffset From => DateTimeOffset.UtcNow.AddHours(-1);

    private static DateTimeOffset Until => DateTimeOffset.UtcNow.AddHours(10);

    public void Dispose()
    {
        Leaf.Dispose();
        Issuer.Dispose();
        _root.Dispose();
        _issuerKey.Dispose();
        _rootKey.Dispose();
    }

    private X509Certificate2 Issue(string name, byte serial)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        using var bare = request.Create(Issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(_issuerKey), From, Until, [serial]);
        return bare.CopyWithPrivateKey(key);
    }
}
