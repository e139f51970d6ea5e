using System.Security.Cryptography.X509Certificates;
using MutualAuth.Testing;

namespace MutualAuth.Tests.Support;

/// <summary>The files of one certificate: alone, with its intermediates, the intermediates, and the key.</summary>
internal sealed record TestCertificateFiles(string Leaf, string Chain, string? Intermediates, string Key);

/// <summary>An authority, and a directory with what it issues, right and wrong.</summary>
internal sealed class Workshop : IDisposable
{
    internal const string ServerName = "server.test";
    internal const string ClientName = "client.test";

    private readonly TestAuthority _authority;
    private readonly TestAuthority _issuer;
    private readonly KeyAlgorithm _algorithm;
    private int _count;

    internal Workshop(KeyAlgorithm algorithm = KeyAlgorithm.EcdsaP256, bool intermediate = false)
    {
        _algorithm = algorithm;
        _authority = new TestAuthority(spec: spec => spec with { Key = Key(0) });
        _issuer = intermediate ? _authority.IssueIntermediate(spec: spec => spec with { Key = Key(1) }) : _authority;
        Trust = _authority.WriteTo(Directory);
    }

    internal string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("mutualauth-interop-").FullName;

    internal string Trust { get; }

    internal TestCertificateFiles Server() => Write(Issue(ServerName, ExtendedKeyUsage.ServerAuth));

    internal TestCertificateFiles Client() => Write(Issue(ClientName, ExtendedKeyUsage.ClientAuth));

    /// <summary>A certificate that is right but for one thing.</summary>
    internal TestCertificateFiles Wrong(Flaw flaw, string name, string usage)
    {
        switch (flaw)
        {
            case Flaw.OtherAuthority:
                using (var other = new TestAuthority("Elsewhere"))
                {
                    return Write(other.Issue(spec => spec with { DnsNames = [name], ExtendedKeyUsages = [usage] }));
                }

            case Flaw.Expired:
                return Write(Issue(name, usage, spec => spec with { NotBefore = spec.NotBefore.AddDays(-9), NotAfter = spec.NotBefore.AddDays(-1) }));
            case Flaw.WrongUsage:
                return Write(Issue(name, usage == ExtendedKeyUsage.ServerAuth ? ExtendedKeyUsage.ClientAuth : ExtendedKeyUsage.ServerAuth));
            case Flaw.WrongName:
                return Write(Issue("somebody-else.test", usage));
            case Flaw.AuthorityAsLeaf:
                return Write(Issue(name, usage, spec => spec with
                {
                    BasicConstraints = new BasicConstraints(IsAuthority: true),
                    KeyUsage = X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.DigitalSignature,
                }));
            default:
                throw new ArgumentOutOfRangeException(nameof(flaw), flaw, "No such flaw.");
        }
    }

    internal TestCertificate Issue(string name, string usage, Func<CertificateSpec, CertificateSpec>? change = null) => _issuer.Issue(spec =>
    {
        spec = spec with { Subject = $"CN={name}", DnsNames = [name], ExtendedKeyUsages = [usage], Key = Key(2) };
        return change?.Invoke(spec) ?? spec;
    });

    internal void Revoke(TestCertificate certificate) => _issuer.Revoke(certificate);

    /// <summary>A file with the revocation lists of every authority here, or of the root alone.</summary>
    internal string RevocationLists(bool rootAlone = false) =>
        Write($"lists-{++_count}.pem", _authority.IssueCrl().Pem + (rootAlone || _issuer == _authority ? string.Empty : _issuer.IssueCrl().Pem));

    internal TestCertificateFiles Write(TestCertificate certificate)
    {
        using (certificate)
        {
            var name = $"certificate-{++_count}";
            var (chain, key) = certificate.WriteTo(Directory, name);
            return new TestCertificateFiles(
                Write($"{name}-leaf.pem", certificate.CertificatePem),
                chain,
                certificate.RawChain.IsEmpty ? null : Write($"{name}-intermediates.pem", certificate.ChainPem[certificate.CertificatePem.Length..]),
                key);
        }
    }

    internal string Write(string name, string text)
    {
        var path = Path.Combine(Directory, name);
        File.WriteAllText(path, text);
        return path;
    }

    internal string Write(string name, byte[] octets)
    {
        var path = Path.Combine(Directory, name);
        File.WriteAllBytes(path, octets);
        return path;
    }

    public void Dispose()
    {
        _authority.Dispose();
        _issuer.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    // RSA keys take long to make, so that each of three roles has one for all tests.
    private TestKey Key(int index) => _algorithm == KeyAlgorithm.EcdsaP256 ? TestKey.Generate() : TestKey.Shared(_algorithm, index);
}
