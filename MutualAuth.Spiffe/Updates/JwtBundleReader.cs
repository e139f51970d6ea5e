using System.Collections.Immutable;
using MutualAuth.Names;
using MutualAuth.Spiffe.Protocol;
using MutualAuth.Tokens;

namespace MutualAuth.Spiffe.Updates;

/// <summary>Checks an update of key sets, and makes bundles of it. Pure: the last good ones are an argument.</summary>
/// <remarks>
/// A trust domain whose set does not check keeps its last good one, or has none; the others count all the same, so that the operator of one domain
/// cannot prevent the rotation of another.
/// </remarks>
internal static class JwtBundleReader
{
    internal static JwtBundlesResult Read(JWTBundlesResponse message, UpdateLimits limits, JwtBundles last)
    {
        if (message.Bundles.Count == 0)
        {
            return new(null, new(UpdateRefusalReason.NoBundle, "The update has no key set."), []);
        }

        // Our own trust domain is one of them.
        if (message.Bundles.Count > limits.MaxFederatedTrustDomains + 1)
        {
            return new(null, new(
                UpdateRefusalReason.TooMany,
                $"There are key sets of {message.Bundles.Count} trust domains; at most {limits.MaxFederatedTrustDomains + 1} are taken."), []);
        }

        var bundles = new Dictionary<TrustDomain, JwtBundle>();
        var refused = ImmutableArray.CreateBuilder<(string, UpdateRefusal)>();
        var named = message.Bundles.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(
            entry => (entry.Key, entry.Value.Memory, Domain: TrustDomain.TryParse(entry.Key, out var domain) ? domain : null)).ToList();
        refused.AddRange(named.Where(entry => entry.Domain is null).Select(entry =>
            (Quoted.Text(entry.Key), new UpdateRefusal(UpdateRefusalReason.SpiffeIdMalformed, "The name is no trust domain."))));
        foreach (var sets in named.Where(entry => entry.Domain is not null).GroupBy(entry => entry.Domain!))
        {
            var refusal = Read([.. sets.Select(entry => entry.Memory)], out var bundle);
            if (refusal is not null)
            {
                refused.Add((sets.Key.ToString(), refusal));
                _ = last.TryGet(sets.Key, out bundle);
            }

            if (bundle is not null)
            {
                bundles.Add(sets.Key, bundle);
            }
        }

        // With nothing left nothing is said of any trust domain: the last good ones stay, as after every update that does not check.
        return bundles.Count == 0
            ? new(null, refused[0].Item2, [])
            : new(JwtBundles.From(bundles), null, refused.ToImmutable());
    }

    private static UpdateRefusal? Read(ImmutableArray<ReadOnlyMemory<byte>> sets, out JwtBundle? bundle)
    {
        bundle = null;
        if (sets.Length > 1)
        {
            return new(UpdateRefusalReason.BundlesDisagree, "The trust domain comes more than once.");
        }

        try
        {
            bundle = JwtBundle.Parse(sets[0]);
            return null;
        }
        catch (MaterialException exception)
        {
            return new(UpdateRefusalReason.KeySetMalformed, exception.Message);
        }
    }
}

/// <summary>The bundles, or the reason why there are none; and the trust domains, quoted, whose key sets were rejected.</summary>
internal sealed record JwtBundlesResult(
    JwtBundles? Bundles, UpdateRefusal? Refusal, ImmutableArray<(string TrustDomain, UpdateRefusal Refusal)> Refused);
