using System.Collections.Immutable;
using Google.Protobuf;
using MutualAuth.Spiffe.Testing.Protocol;

namespace MutualAuth.Spiffe.Testing;

/// <summary>
/// What an agent has for a workload at one moment: identities, bundles and revocation lists. An update is complete; what is not in it does not
/// count any more (SPIFFE Workload API §4.3).
/// </summary>
/// <remarks>Immutable. <see cref="TestTrustDomain.Update"/> makes a right one. Nothing is checked: what is malformed is sent as it is.</remarks>
public sealed record WorkloadUpdate
{
    private const string Scheme = "spiffe://";

    /// <summary>The identities; the first is the default. Default: none, which an agent never sends.</summary>
    public ImmutableArray<WorkloadSvid> Svids { get; init; } = [];

    /// <summary>
    /// The bundles of foreign trust domains: certificates in DER, one behind the other, by the SPIFFE ID of the domain, in its order. Default: none.
    /// </summary>
    public ImmutableSortedDictionary<string, ReadOnlyMemory<byte>> FederatedBundles { get; init; } =
        ImmutableSortedDictionary.Create<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);

    /// <summary>Revocation lists in DER. Default: none, as from SPIRE.</summary>
    public ImmutableArray<ReadOnlyMemory<byte>> RevocationLists { get; init; } = [];

    /// <summary>
    /// The key sets for JWT-SVIDs (RFC 7517), by the SPIFFE ID of the trust domain, our own included, in its order. Default: none, which an agent
    /// never sends.
    /// </summary>
    public ImmutableSortedDictionary<string, ReadOnlyMemory<byte>> JwtBundles { get; init; } =
        ImmutableSortedDictionary.Create<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);

    /// <summary>Makes the tokens for a request; without any the call is refused with PermissionDenied. Default: none for anybody.</summary>
    public Func<WorkloadJwtRequest, IEnumerable<WorkloadJwtSvid>> JwtSvids { get; init; } = static _ => [];

    /// <summary>The same with the bundles and the key sets of these trust domains as well.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="domains"/> is null.</exception>
    public WorkloadUpdate FederatedWith(params IEnumerable<TestTrustDomain> domains)
    {
        ArgumentNullException.ThrowIfNull(domains);
        ImmutableArray<TestTrustDomain> all = [.. domains];
        return this with
        {
            FederatedBundles = FederatedBundles.SetItems(
                all.Select(domain => KeyValuePair.Create(domain.SpiffeId, domain.Bundle()))),
            JwtBundles = JwtBundles.SetItems(all.Select(domain => KeyValuePair.Create(domain.SpiffeId, domain.JwtBundle()))),
        };
    }

    /// <summary>The message that answers <c>FetchX509SVID</c>, encoded.</summary>
    public byte[] ToX509SvidMessage()
    {
        var message = new X509SVIDResponse();
        message.Svids.AddRange(Svids.Select(svid => new X509SVID
        {
            SpiffeId = svid.SpiffeId,
            X509Svid = Octets(svid.Certificates),
            X509SvidKey = Octets(svid.PrivateKey),
            Bundle = Octets(svid.Bundle),
            Hint = svid.Hint,
        }));
        message.Crl.AddRange(RevocationLists.Select(Octets));
        foreach (var (domain, bundle) in FederatedBundles)
        {
            message.FederatedBundles.Add(domain, Octets(bundle));
        }

        return message.ToByteArray();
    }

    /// <summary>
    /// The message that answers <c>FetchX509Bundles</c>, encoded: the federated bundles, and those of the identities, which prevail.
    /// </summary>
    public byte[] ToX509BundlesMessage()
    {
        var message = new X509BundlesResponse();
        message.Crl.AddRange(RevocationLists.Select(Octets));
        foreach (var (domain, bundle) in FederatedBundles.Concat(
            Svids.Select(svid => KeyValuePair.Create(TrustDomainOf(svid.SpiffeId), svid.Bundle))))
        {
            message.Bundles[domain] = Octets(bundle);
        }

        return message.ToByteArray();
    }

    /// <summary>The message that answers <c>FetchJWTBundles</c>, encoded.</summary>
    public byte[] ToJwtBundlesMessage()
    {
        var message = new JWTBundlesResponse();
        foreach (var (domain, set) in JwtBundles)
        {
            message.Bundles.Add(domain, Octets(set));
        }

        return message.ToByteArray();
    }

    /// <summary>The message that answers <c>FetchJWTSVID</c>, encoded; null when there is no token for the request.</summary>
    /// <param name="request">What is asked for.</param>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> is null.</exception>
    public byte[]? ToJwtSvidMessage(WorkloadJwtRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var message = new JWTSVIDResponse();
        message.Svids.AddRange(JwtSvids(request).Select(svid => new JWTSVID { SpiffeId = svid.SpiffeId, Svid = svid.Token, Hint = svid.Hint }));
        return message.Svids.Count == 0 ? null : message.ToByteArray();
    }

    private static string TrustDomainOf(string spiffeId)
    {
        var end = spiffeId.StartsWith(Scheme, StringComparison.Ordinal) ? spiffeId.IndexOf('/', Scheme.Length) : -1;
        return end < 0 ? spiffeId : spiffeId[..end];
    }

    private static ByteString Octets(ReadOnlyMemory<byte> octets) => ByteString.CopyFrom(octets.Span);
}
