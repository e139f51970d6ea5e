using System.Collections.Immutable;
using MutualAuth.Certificates;
using MutualAuth.Names;
using MutualAuth.Spiffe.Protocol;
using MutualAuth.Trust;

namespace MutualAuth.Spiffe.Updates;

/// <summary>Collects the bundles of an update. One instance serves one update.</summary>
/// <remarks>
/// An invalid bundle of our own trust domain makes the whole update invalid. A federated one does not: the operator of another trust domain
/// must not be able to prevent the renewal of our own identity. That domain keeps its last good bundle, if it has one.
/// </remarks>
internal sealed class BundleReader(UpdateLimits limits, SpiffeBundles? last)
{
    private readonly Dictionary<TrustDomain, ImmutableArray<Certificate>> _bundles = [];
    private readonly ImmutableArray<(string TrustDomain, UpdateRefusal Refusal)>.Builder _refused =
        ImmutableArray.CreateBuilder<(string, UpdateRefusal)>();

    /// <summary>The federated bundles that were rejected.</summary>
    internal ImmutableArray<(string TrustDomain, UpdateRefusal Refusal)> Refused => _refused.ToImmutable();

    /// <summary>Adds the bundle that came with one of our identities.</summary>
    internal UpdateRefusal? AddOwn(TrustDomain domain, ReadOnlyMemory<byte> der) =>
        Read(domain, der) ?? (Disagrees(domain, der) ? Twice(domain) : null);

    /// <summary>Adds the bundles of foreign trust domains. An empty one withdraws what was sent before (SPIFFE Workload API §4.4).</summary>
    internal void AddFederated(X509SVIDResponse message)
    {
        foreach (var (name, der) in message.FederatedBundles.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            if (!TrustDomain.TryParse(name, out var domain))
            {
                _refused.Add((Quoted.Text(name), new(UpdateRefusalReason.SpiffeIdMalformed, "The name is no trust domain.")));
                continue;
            }

            if (der.IsEmpty)
            {
                continue;
            }

            var refusal = _bundles.ContainsKey(domain) ? (Disagrees(domain, der.Memory) ? Twice(domain) : null) : Read(domain, der.Memory);
            if (refusal is null)
            {
                continue;
            }

            _refused.Add((Quoted.Text(name), refusal));
            if (!_bundles.ContainsKey(domain) && last is not null && last.TryGet(domain, out var kept))
            {
                _bundles[domain] = kept.Certificates;
            }
        }
    }

    /// <summary>
    /// The anchors of a domain that was added; the previous instance when nothing changed, because it has imported keys and is compared by
    /// reference.
    /// </summary>
    internal TrustAnchors AnchorsOf(TrustDomain domain)
    {
        var certificates = _bundles[domain];
        return last is not null && last.TryGet(domain, out var before) && before.Certificates.SequenceEqual(certificates)
            ? before
            : TrustAnchors.FromDer(certificates.Select(certificate => certificate.RawData));
    }

    /// <summary>All of them; the previous set itself when nothing changed.</summary>
    internal SpiffeBundles ToBundles()
    {
        var anchors = _bundles.Keys.ToDictionary(domain => domain, AnchorsOf);
        return last is not null
            && last.TrustDomains.Length == anchors.Count
            && anchors.All(entry => last.TryGet(entry.Key, out var before) && ReferenceEquals(before, entry.Value))
            ? last
            : SpiffeBundles.From(anchors);
    }

    private UpdateRefusal? Read(TrustDomain domain, ReadOnlyMemory<byte> der)
    {
        if (DerSequence.Read(der, limits.MaxBundleCertificates, $"The bundle of {domain}", out var certificates) is { } refusal)
        {
            return refusal;
        }

        if (certificates.FirstOrDefault(certificate => !certificate.IsCertificateAuthority) is { } other)
        {
            return new UpdateRefusal(UpdateRefusalReason.BundleWithoutAuthority, $"The bundle of {domain} holds {other}, which is no authority.");
        }

        _bundles.TryAdd(domain, [.. certificates.Distinct()]);
        return null;
    }

    private bool Disagrees(TrustDomain domain, ReadOnlyMemory<byte> der) =>
        DerSequence.Read(der, limits.MaxBundleCertificates, string.Empty, out var certificates) is not null
        || !certificates.ToHashSet().SetEquals(_bundles[domain]);

    private static UpdateRefusal Twice(TrustDomain domain) =>
        new(UpdateRefusalReason.BundlesDisagree, $"The trust domain {domain} comes with two different bundles.");
}
