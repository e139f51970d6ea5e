using MutualAuth.Names;
using MutualAuth.Testing;

namespace MutualAuth.Spiffe.Testing;

/// <summary>A SPIFFE trust domain for a test: an authority, which can be made again, and what an agent gives to the domain's workloads.</summary>
/// <remarks>Safe for concurrent use. Disposing of it disposes of its authorities.</remarks>
public sealed class TestTrustDomain : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<TestAuthority> _authorities = [];
    private readonly TimeProvider _clock;
    private readonly string? _seed;

    /// <summary>Makes a trust domain with one authority, which is a root.</summary>
    /// <param name="name">Its name, such as <c>example.org</c>.</param>
    /// <param name="timeProvider">The clock that all dates are relative to; null for the system's.</param>
    /// <param name="seed">As for <see cref="TestAuthority"/>: makes keys and certificates reproducible. Null makes everything random.</param>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="name"/> is no name of a trust domain.</exception>
    public TestTrustDomain(string name = "example.org", TimeProvider? timeProvider = null, string? seed = null)
    {
        Name = TrustDomain.Parse(name);
        _clock = timeProvider ?? TimeProvider.System;
        _seed = seed;
        RotateAuthority();
    }

    /// <summary>Its name.</summary>
    public TrustDomain Name { get; }

    /// <summary>Its SPIFFE ID, <c>spiffe://NAME</c>: by this, others know its bundle.</summary>
    public string SpiffeId => $"spiffe://{Name}";

    /// <summary>The newest authority, which signs. It belongs to the trust domain.</summary>
    public TestAuthority Authority
    {
        get
        {
            lock (_lock)
            {
                return _authorities[^1];
            }
        }
    }

    /// <summary>
    /// Makes a new authority, which signs from now on. <see cref="Bundle"/> has only that one, unless it is asked for more.
    /// </summary>
    public void RotateAuthority()
    {
        lock (_lock)
        {
            var number = _authorities.Count + 1;
            _authorities.Add(new TestAuthority(
                $"{Name} {number}",
                spec => spec with { Uris = [SpiffeId] },
                _clock,
                _seed is null ? null : $"{_seed} {Name} {number}"));
        }
    }

    /// <summary>The newest authorities as a bundle: certificates in DER, one behind the other.</summary>
    /// <param name="newest">How many. Default: the one that signs.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="newest"/> is negative.</exception>
    public ReadOnlyMemory<byte> Bundle(int newest = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(newest);
        lock (_lock)
        {
            return Der(_authorities.TakeLast(newest).Select(authority => authority.AsCertificate.RawCertificate));
        }
    }

    /// <summary>Issues an X.509-SVID: a new certificate and a new key each time.</summary>
    /// <param name="path">The path of the SPIFFE ID, such as <c>/payments</c>.</param>
    /// <param name="spec">Changes what the certificate says; null leaves it alone.</param>
    /// <param name="by">Who signs instead of <see cref="Authority"/>: an intermediate, or an authority that has no right to.</param>
    /// <param name="hint">What the operator means the identity for.</param>
    /// <exception cref="ArgumentNullException"><paramref name="path"/> or <paramref name="hint"/> is null.</exception>
    public WorkloadSvid Issue(
        string path, Func<CertificateSpec, CertificateSpec>? spec = null, TestAuthority? by = null, string hint = "")
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(hint);
        using var certificate = (by ?? Authority).Issue(asked =>
        {
            asked = asked with { Uris = [SpiffeId + path] };
            return spec?.Invoke(asked) ?? asked;
        });
        return new WorkloadSvid
        {
            SpiffeId = SpiffeId + path,
            Certificates = Der(certificate.RawChain.Prepend(certificate.RawCertificate)),
            PrivateKey = certificate.Key.Pkcs8,
            Bundle = Bundle(),
            Hint = hint,
        };
    }

    /// <summary>A whole update with one new identity and the bundles that go with it.</summary>
    /// <param name="path">The path of the SPIFFE ID.</param>
    /// <param name="federated">The trust domains that this one federates with.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public WorkloadUpdate Update(string path, params IEnumerable<TestTrustDomain> federated) =>
        new WorkloadUpdate { Svids = [Issue(path)] }.FederatedWith(federated);

    /// <summary>Disposes of the authorities.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _authorities.ForEach(authority => authority.Dispose());
        }
    }

    private static byte[] Der(IEnumerable<ReadOnlyMemory<byte>> parts) => [.. parts.SelectMany(part => part.ToArray())];
}
