using System.Security.Cryptography.X509Certificates;
using MutualAuth.Certificates;
using MutualAuth.Paths;
using MutualAuth.Testing;

namespace MutualAuth.Benchmarks;

/// <summary>Leaves of one intermediate of one root, and the two ways from their DER to a verdict.</summary>
public sealed class PathMaterial : IDisposable
{
    private const int Leaves = 64;

    private readonly byte[][] _leaves;
    private readonly byte[] _intermediate;
    private readonly X509Certificate2 _root;
    private readonly TrustAnchors _trust;
    private readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();
    private readonly PathValidator _warm = new();
    private readonly PathValidator _withoutPeers = new(profile: null, rememberedAuthorities: 256, rememberedPeers: 0);
    private readonly (Certificate Subject, Certificate Issuer)[] _signed;
    private int _next;

    /// <summary>Issues the certificates.</summary>
    /// <param name="algorithm">The algorithm of all keys.</param>
    /// <param name="anchors">How many anchors are trusted, the one that counts among them.</param>
    public PathMaterial(KeyAlgorithm algorithm, int anchors = 1)
    {
        using var root = new TestAuthority("Root", spec => spec with { KeyAlgorithm = algorithm });
        using var intermediate = root.IssueIntermediate("Intermediate", spec => spec with { KeyAlgorithm = algorithm });
        _leaves =
            [.. Enumerable.Range(0, Leaves).Select(
                i => intermediate.Issue(spec => spec with { DnsNames = [$"client{i}.test"] }).RawCertificate.ToArray())];
        _intermediate = intermediate.AsCertificate.RawCertificate.ToArray();
        _root = X509CertificateLoader.LoadCertificate(root.AsCertificate.RawCertificate.Span);
        var others = Enumerable.Range(1, anchors - 1).Select(
            i => new TestAuthority($"Other {i}", spec => spec with { Key = TestKey.Shared(KeyAlgorithm.EcdsaP256) }));
        _trust = TrustAnchors.FromDer([root.AsCertificate.RawCertificate, .. others.Select(other => other.AsCertificate.RawCertificate)]);
        var authority = Certificate.Parse(_intermediate);
        _signed = [(authority, _trust.Certificates[0]), .. _leaves.Select(leaf => (Certificate.Parse(leaf), authority))];
        Ours(_warm);
        Ours(_withoutPeers);
    }

    /// <summary>From DER to a verdict with nothing remembered but the anchor.</summary>
    public bool Cold() => Ours(new PathValidator());

    /// <summary>From DER to a verdict of a leaf that was not the last one, by an intermediate that was seen before.</summary>
    public bool Warm() => Ours(_warm);

    /// <summary>From DER to a verdict of a leaf that was never seen, by an intermediate that was.</summary>
    public bool NewLeaf() => Ours(_withoutPeers);

    /// <summary>The two signatures of a cold path alone, by keys that are imported: nobody who checks them can do with less.</summary>
    public bool Signatures() => IsSigned(_signed[0]) && IsSigned(_signed[1 + (_next++ % Leaves)]);

    /// <summary>The platform's loader and chain, set up as well as it can be.</summary>
    public bool Platform()
    {
        using var leaf = X509CertificateLoader.LoadCertificate(NextLeaf());
        using var intermediate = X509CertificateLoader.LoadCertificate(_intermediate);
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_root);
        chain.ChainPolicy.ExtraStore.Add(intermediate);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new("1.3.6.1.5.5.7.3.2"));
        var isValid = chain.Build(leaf);
        foreach (var element in chain.ChainElements)
        {
            element.Certificate.Dispose();
        }

        return isValid;
    }

    /// <summary>Reading the two certificates alone.</summary>
    public bool Parse() => Certificate.TryParse(NextLeaf(), out _, out _) && Certificate.TryParse(_intermediate, out _, out _);

    /// <inheritdoc/>
    public void Dispose() => _root.Dispose();

    private bool Ours(PathValidator validator) =>
        Certificate.TryParse(NextLeaf(), out var leaf, out _)
        && Certificate.TryParse(_intermediate, out var intermediate, out _)
        && validator.Validate(leaf, [intermediate], _trust, PeerRole.Client, _now).Rejection is null;

    private static bool IsSigned((Certificate Subject, Certificate Issuer) pair) =>
        pair.Issuer.PublicKey.Verify(pair.Subject.Scheme, pair.Subject.Signed.Span, pair.Subject.Signature.Span);

    private byte[] NextLeaf() => _leaves[_next++ % Leaves];
}
