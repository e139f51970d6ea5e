using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using MutualAuth.Names;

namespace MutualAuth.Tokens;

/// <summary>The keys of several trust domains: each domain's vouch for that domain alone.</summary>
/// <remarks>Immutable. It is also the source of itself, for bundles that do not change while the process runs.</remarks>
public sealed class JwtBundles : IJwtBundleSource
{
    private readonly FrozenDictionary<TrustDomain, JwtBundle> _bundles;

    private JwtBundles(FrozenDictionary<TrustDomain, JwtBundle> bundles) => _bundles = bundles;

    /// <summary>None: no token is genuine.</summary>
    public static JwtBundles None { get; } = new(FrozenDictionary<TrustDomain, JwtBundle>.Empty);

    /// <summary>The trust domains that have a bundle.</summary>
    public ImmutableArray<TrustDomain> TrustDomains => _bundles.Keys;

    JwtBundles IJwtBundleSource.Current => this;

    /// <summary>These bundles.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="bundles"/> is null, or holds a null.</exception>
    /// <exception cref="ArgumentException">A trust domain comes twice.</exception>
    public static JwtBundles From(params IEnumerable<KeyValuePair<TrustDomain, JwtBundle>> bundles)
    {
        ArgumentNullException.ThrowIfNull(bundles);
        var all = new Dictionary<TrustDomain, JwtBundle>();
        foreach (var (domain, bundle) in bundles)
        {
            ArgumentNullException.ThrowIfNull(domain, nameof(bundles));
            ArgumentNullException.ThrowIfNull(bundle, nameof(bundles));
            all.Add(domain, bundle);
        }

        return all.Count == 0 ? None : new JwtBundles(all.ToFrozenDictionary());
    }

    /// <summary>The bundle of a trust domain; false when it has none.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="trustDomain"/> is null.</exception>
    public bool TryGet(TrustDomain trustDomain, [NotNullWhen(true)] out JwtBundle? bundle)
    {
        ArgumentNullException.ThrowIfNull(trustDomain);
        return _bundles.TryGetValue(trustDomain, out bundle);
    }

    /// <summary>Whether the same keys count for the same trust domains.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="other"/> is null.</exception>
    public bool HasSameKeysAs(JwtBundles other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return _bundles.Count == other._bundles.Count
            && _bundles.All(pair => other._bundles.TryGetValue(pair.Key, out var bundle) && bundle.HasSameKeysAs(pair.Value));
    }
}
