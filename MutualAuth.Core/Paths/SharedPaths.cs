using System.Collections.Immutable;
using System.Runtime.InteropServices;
using MutualAuth.Certificates;

namespace MutualAuth.Paths;

/// <summary>
/// What a search found out about the authorities of one path, for the peers that are judged again after it and stand on the same one. Not safe for
/// concurrent use: each worker of a sweep has one of its own, and it ends with the sweep.
/// </summary>
/// <remarks>
/// Kept is a search that never had a choice to take back: each time the first issuer that it tried led on to the anchor. For another peer whose
/// search would try the same issuers, with the same anchors and statements and at the same moment, what concerns the authorities alone comes out
/// alike. What concerns the peer is examined for each peer: its dates, form and purpose, its policies, and whether it is revoked or denied. Only an
/// acceptance is ever shared. Wherever anything differs or objects, the answer is "not known", and the whole search is made.
/// </remarks>
internal sealed class SharedPaths
{
    // Peers below one authority differ in what they send with their certificate, and in their policies. Further ones take the place of the first.
    private const int MaxBelowOneAuthority = 4;

    private readonly Dictionary<Certificate, List<StraightPath>> _byAuthority = new(ReferenceEqualityComparer.Instance);

    private Certificate[] _presented = [];

    /// <summary>How many peers were accepted without a search, for tests.</summary>
    internal int Followed { get; private set; }

    /// <summary>The path on which the peer stood before, if a search made now would be certain to find it.</summary>
    internal PathResult? Follow(
        Certificate leaf, IReadOnlyList<Certificate> presented, TrustAnchors trust, PeerRole role, DateTimeOffset at, IRevocationSource? revocation,
        ImmutableArray<Certificate> stoodOn)
    {
        if (stoodOn.IsDefault || stoodOn.Length < 2 || !ReferenceEquals(stoodOn[0], leaf)
            || !_byAuthority.TryGetValue(stoodOn[1], out var found))
        {
            return null;
        }

        foreach (var path in found)
        {
            if (path.IsSearchedAlike(presented, trust, role, at, revocation) && path.LeadsFrom(stoodOn, at, revocation))
            {
                Followed++;
                return PathResult.Found(stoodOn, path.Policies);
            }
        }

        return null;
    }

    /// <summary>Certificates that a peer sent beside its own, without a list for each of many peers that sent the same ones.</summary>
    /// <remarks>What this returns is kept, and never written to.</remarks>
    internal Certificate[] ListOf(ReadOnlySpan<Certificate> presented)
    {
        if (_presented.Length != presented.Length)
        {
            return _presented = presented.ToArray();
        }

        for (var i = 0; i < presented.Length; i++)
        {
            if (!ReferenceEquals(_presented[i], presented[i]))
            {
                return _presented = presented.ToArray();
            }
        }

        return _presented;
    }

    internal void Keep(StraightPath path)
    {
        if (!_byAuthority.TryGetValue(path.StoodOn[1], out var found))
        {
            _byAuthority.Add(path.StoodOn[1], found = new(1));
        }

        if (found.Count == MaxBelowOneAuthority)
        {
            found.RemoveAt(0);
        }

        found.Add(path);
    }
}

/// <summary>A search that went straight from a peer to an anchor.</summary>
/// <param name="StoodOn">
/// The path that it found, as the peer stood on it before: sources that were read again have other instances of the same certificates.
/// </param>
/// <param name="Rules">The rules of that moment for one certificate by itself.</param>
/// <param name="Pool">The issuers among which it chose.</param>
/// <param name="Presented">What the peer sent beside its own certificate.</param>
/// <param name="Role">The part that the peer plays.</param>
/// <param name="At">The time at which the certificates had to be valid.</param>
/// <param name="Revocation">What was asked about revocation; null for nothing.</param>
/// <param name="Policies">The policies that are valid for the path.</param>
internal sealed record StraightPath(
    ImmutableArray<Certificate> StoodOn,
    CertificateRules Rules,
    CandidatePool Pool,
    IReadOnlyList<Certificate> Presented,
    PeerRole Role,
    DateTimeOffset At,
    IRevocationSource? Revocation,
    ImmutableArray<string> Policies)
{
    private CertificateExtensions Extensions => StoodOn[0].Extensions;

    /// <summary>Whether a search with these would find out the same of the authorities.</summary>
    internal bool IsSearchedAlike(
        IReadOnlyList<Certificate> presented, TrustAnchors trust, PeerRole role, DateTimeOffset at, IRevocationSource? revocation)
    {
        if (!ReferenceEquals(trust, Pool.Trust) || role != Role || !Moment.IsSame(at, At) || presented.Count != Presented.Count
            || !(Revocation is null ? revocation is null : revocation is not null && Revocation.SaysTheSameOfAuthorities(revocation)))
        {
            return false;
        }

        for (var i = 0; i < presented.Count; i++)
        {
            if (!ReferenceEquals(presented[i], Presented[i]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether the search for this peer is led to the same authorities, and finds nothing wrong with the peer.</summary>
    /// <param name="path">The path on which the peer stood, whose signatures were verified.</param>
    /// <param name="at">The time at which the certificates must be valid.</param>
    /// <param name="revocation">Whom to ask about the peer.</param>
    internal bool LeadsFrom(ImmutableArray<Certificate> path, DateTimeOffset at, IRevocationSource? revocation)
    {
        var leaf = path[0];
        return EndsAlike(path)
            && IsIssuedAlike(leaf)
            && HasSamePolicies(leaf.Extensions, Extensions)
            && StoodOn[1].PublicKey.MayHaveSigned(leaf.Scheme, leaf.Signature.Length)
            && !Pool.Trust.TryGetAnchor(leaf, out _)
            && Rules.Examine(leaf, PathPosition.Leaf) is null
            && revocation?.Check(ImmutableCollectionsMarshal.AsArray(path)!, 0, Pool, at) is null;
    }

    private bool EndsAlike(ImmutableArray<Certificate> path)
    {
        if (path.Length != StoodOn.Length)
        {
            return false;
        }

        for (var i = 1; i < path.Length; i++)
        {
            if (!ReferenceEquals(path[i], StoodOn[i]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether the same issuers come into question, in the same order, and none of them is the peer itself.</summary>
    private bool IsIssuedAlike(Certificate leaf)
    {
        if (!leaf.Issuer.Equals(StoodOn[0].Issuer)
            || !leaf.Extensions.AuthorityKeyId.KeyId.Span.SequenceEqual(Extensions.AuthorityKeyId.KeyId.Span))
        {
            return false;
        }

        for (var i = 1; i < StoodOn.Length; i++)
        {
            if (PathBuilder.IsSameEntity(leaf, StoodOn[i]))
            {
                return false;
            }
        }

        foreach (var sent in Presented)
        {
            if (sent.Equals(leaf))
            {
                return false;
            }
        }

        return true;
    }

    private static bool HasSamePolicies(CertificateExtensions one, CertificateExtensions other)
    {
        const KnownExtension AboutPolicies = KnownExtension.CertificatePolicies | KnownExtension.PolicyConstraints
            | KnownExtension.PolicyMappings | KnownExtension.InhibitAnyPolicy;
        return (one.Present & AboutPolicies) == (other.Present & AboutPolicies)
            && one.Policies.RequireExplicitPolicy == other.Policies.RequireExplicitPolicy
            && one.Policies.Policies.AsSpan().SequenceEqual(other.Policies.Policies.AsSpan());
    }
}
