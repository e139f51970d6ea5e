using Google.Protobuf;
using MutualAuth.Names;
using MutualAuth.Spiffe.Protocol;
using MutualAuth.Testing;

namespace MutualAuth.Tests.Support;

/// <summary>A trust domain with its authority, which can be made anew, and the messages that its agents send.</summary>
internal sealed class Domain : IDisposable
{
    private readonly List<TestAuthority> _authorities;

    internal Domain(string name, TimeProvider clock)
    {
        Name = TrustDomain.Parse(name);
        _authorities = [new TestAuthority($"{name} 1", timeProvider: clock)];
    }

    internal TrustDomain Name { get; }

    internal string Id => $"spiffe://{Name}";

    internal TestAuthority Authority => _authorities[^1];

    /// <summary>The newest authorities, as a bundle.</summary>
    internal ByteString Bundle(int newest = 1) => Der(_authorities.TakeLast(newest).Select(authority => authority.AsCertificate.RawCertificate));

    /// <summary>Makes a new authority, which signs from now on.</summary>
    internal void RotateAuthority() => _authorities.Add(new TestAuthority($"{Name} {_authorities.Count + 1}", timeProvider: Authority.Clock));

    /// <summary>What a workload is given: a fresh certificate and key each time.</summary>
    internal X509SVID Svid(string path, Func<CertificateSpec, CertificateSpec>? change = null, TestAuthority? by = null, string hint = "")
    {
        using var certificate = (by ?? Authority).Issue(spec => (change ?? (same => same))(spec with { Uris = [Id + path] }));
        return new X509SVID
        {
            SpiffeId = Id + path,
            X509Svid = Der(certificate.RawChain.Prepend(certificate.RawCertificate)),
            X509SvidKey = ByteString.CopyFrom(certificate.Key.Pkcs8.Span),
            Bundle = Bundle(),
            Hint = hint,
        };
    }

    /// <summary>A whole update with one identity.</summary>
    internal X509SVIDResponse Update(string path, params Domain[] federated) => Message([Svid(path)], federated);

    internal static X509SVIDResponse Message(X509SVID[] svids, params Domain[] federated)
    {
        var message = new X509SVIDResponse { Svids = { svids } };
        foreach (var domain in federated)
        {
            message.FederatedBundles.Add(domain.Id, domain.Bundle());
        }

        return message;
    }

    internal static ByteString Der(IEnumerable<ReadOnlyMemory<byte>> parts) => ByteString.CopyFrom([.. parts.SelectMany(part => part.ToArray())]);

    public void Dispose() => _authorities.ForEach(authority => authority.Dispose());
}
