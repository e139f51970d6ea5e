using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using MutualAuth.Certificates;
using MutualAuth.Names;

namespace MutualAuth.Trust;

/// <summary>The authorities of SPIFFE trust domains. Each authority is trusted for the workloads of its own domain only.</summary>
/// <remarks>
/// A peer's SPIFFE ID selects the bundle, and its path must end in that bundle (SPIFFE Workload API §4.6); an authority of another trust
/// domain is not accepted. A certificate that is not an X.509-SVID is rejected. Immutable and safe to share.
/// </remarks>
public sealed class SpiffeBundles : ISpiffeBundleSource
{
    private const int MaxListed = 8;

    private readonly FrozenDictionary<TrustDomain, TrustAnchors> _bundles;

    private SpiffeBundles(FrozenDictionary<TrustDomain, TrustAnchors> bundles)
    {
        _bundles = bundles;
        TrustDomains = [.. bundles.Keys.OrderBy(domain => domain.ToString(), StringComparer.Ordinal)];
    }

    /// <summary>No trust domain: every certificate is rejected.</summary>
    public static SpiffeBundles None { get; } = new(FrozenDictionary<TrustDomain, TrustAnchors>.Empty);

    /// <summary>The trust domains that have a bundle, in the order of their names.</summary>
    public ImmutableArray<TrustDomain> TrustDomains { get; }

    SpiffeBundles ISpiffeBundleSource.Current => this;

    /// <summary>
    /// Assigns authorities to trust domains. The same anchors may serve several domains; without any domain, every certificate is rejected.
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="bundles"/> is null.</exception>
    /// <exception cref="ArgumentException">A trust domain occurs twice.</exception>
    public static SpiffeBundles From(params IEnumerable<KeyValuePair<TrustDomain, TrustAnchors>> bundles)
    {
        ArgumentNullException.ThrowIfNull(bundles);
        var byDomain = new Dictionary<TrustDomain, TrustAnchors>();
        foreach (var (domain, anchors) in bundles)
        {
            ArgumentNullException.ThrowIfNull(anchors, nameof(bundles));
            if (!byDomain.TryAdd(domain, anchors))
            {
                throw new ArgumentException($"The trust domain {domain} occurs twice. Put all of its authorities into one bundle.", nameof(bundles));
            }
        }

        return new SpiffeBundles(byDomain.ToFrozenDictionary());
    }

    /// <summary>One trust domain and its authorities.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="trustDomain"/> is null.</exception>
    public static SpiffeBundles From(TrustDomain trustDomain, TrustAnchors anchors) =>
        From([KeyValuePair.Create(trustDomain ?? throw new ArgumentNullException(nameof(trustDomain)), anchors)]);

    /// <summary>The authorities of a trust domain; false when it has no bundle here and none of its workloads is trusted.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="trustDomain"/> is null.</exception>
    public bool TryGet(TrustDomain trustDomain, [NotNullWhen(true)] out TrustAnchors? anchors)
    {
        ArgumentNullException.ThrowIfNull(trustDomain);
        return _bundles.TryGetValue(trustDomain, out anchors);
    }

    /// <summary>Finds the anchors at which this peer's path must end, or the reason why there are none.</summary>
    internal Rejection? Choose(Certificate leaf, out TrustAnchors? anchors)
    {
        anchors = null;
        if (SpiffeSvid.Read(leaf, out var id) is { } notAnSvid)
        {
            return notAnSvid;
        }

        return _bundles.TryGetValue(id!.TrustDomain, out anchors)
            ? null
            : new Rejection(
                RejectionReason.UnknownAuthority,
                $"a workload of {Describe()}",
                $"one of the trust domain {id.TrustDomain}, whose bundle is not known")
            {
                Element = $"leaf certificate {leaf}",
                Rule = "SPIFFE Workload API §4.6",
                Hint = "Federate with that trust domain, so that its bundle is delivered.",
            };
    }

    private string Describe() => TrustDomains.Length switch
    {
        0 => "a trust domain with a bundle, of which there is none",
        1 => $"the trust domain {TrustDomains[0]}",
        <= MaxListed => $"one of the trust domains {string.Join(", ", TrustDomains)}",
        var count => $"one of the trust domains {string.Join(", ", TrustDomains.Take(MaxListed))} and {count - MaxListed} more",
    };
}
