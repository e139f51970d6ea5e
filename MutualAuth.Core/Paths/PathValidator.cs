using System.Collections.Immutable;
using MutualAuth.Certificates;

namespace MutualAuth.Paths;

/// <summary>Decides whether a path leads from a peer's certificate to a trust anchor (RFC 5280 §6, RFC 6818, 9549, 9618).</summary>
/// <remarks>
/// All candidate issuers are tried, within the budget of the profile, so that the verdict and its reason do not depend on the order in
/// which the peer sent its certificates. The names in the certificate are not authorized here. Pure: no I/O and no clock. No certificate
/// makes it throw. Safe for concurrent use. An instance caches the certificates of paths that it has accepted, with the signatures that it
/// has verified, so reuse it.
/// </remarks>
public sealed class PathValidator
{
    /// <summary>A validator for a profile.</summary>
    /// <param name="profile">The rules; null for <see cref="ValidationProfile.MutualTls"/>.</param>
    public PathValidator(ValidationProfile? profile = null)
        : this(profile, rememberedAuthorities: 256, rememberedPeers: 1024)
    {
    }

    internal PathValidator(ValidationProfile? profile, int rememberedAuthorities, int rememberedPeers)
    {
        Profile = profile ?? ValidationProfile.MutualTls;
        Authorities = new VerifiedCertificateCache(rememberedAuthorities);
        Peers = new VerifiedCertificateCache(rememberedPeers);
    }

    /// <summary>The rules that the validator applies.</summary>
    public ValidationProfile Profile { get; }

    /// <summary>The intermediates of accepted paths. Kept apart from the leaves, so that many leaves do not displace the few intermediates.</summary>
    internal VerifiedCertificateCache Authorities { get; }

    /// <summary>The peers' own certificates of accepted paths.</summary>
    internal VerifiedCertificateCache Peers { get; }

    /// <summary>The policies that were valid for the last paths.</summary>
    internal PolicyMemory Policies { get; } = new();

    /// <summary>Looks for a path.</summary>
    /// <param name="leaf">The peer's own certificate.</param>
    /// <param name="presented">The certificates that the peer sent with it, in any order; duplicates, and the leaf among them, do no harm.</param>
    /// <param name="trust">Where a path may end.</param>
    /// <param name="role">The role of the peer, which decides the purpose that its certificate needs.</param>
    /// <param name="at">The time for which the decision holds.</param>
    public PathResult Validate(Certificate leaf, IReadOnlyList<Certificate> presented, TrustAnchors trust, PeerRole role, DateTimeOffset at) =>
        Validate(leaf, presented, trust, role, at, revocation: null);

    /// <summary>
    /// Looks for a path to which <paramref name="revocation"/> has no objection; null when revocation is not checked. The signatures of
    /// <paramref name="verified"/>, an earlier path, count as verified; nothing else of it is used. With
    /// <paramref name="shared"/>, what was found out about the authorities of other peers that were judged just now is not found out again.
    /// </summary>
    internal PathResult Validate(
        Certificate leaf,
        IReadOnlyList<Certificate> presented,
        TrustAnchors trust,
        PeerRole role,
        DateTimeOffset at,
        IRevocationSource? revocation,
        ImmutableArray<Certificate> verified = default,
        SharedPaths? shared = null)
    {
        ArgumentNullException.ThrowIfNull(leaf);
        ArgumentNullException.ThrowIfNull(presented);
        ArgumentNullException.ThrowIfNull(trust);
        if (ExamineSize(leaf, presented) is { } tooMuch)
        {
            return PathResult.Rejected(tooMuch);
        }

        if (shared?.Follow(leaf, presented, trust, role, at, revocation, verified) is { } known)
        {
            return known;
        }

        var builder = new PathBuilder(
            new CandidatePool(leaf, presented, trust, verified.IsDefaultOrEmpty ? Authorities : null),
            this, role, at, revocation, verified.IsDefault ? [] : verified);
        var result = builder.Build();
        if (shared is not null && !verified.IsDefault && result.Rejection is null && builder.Straight(presented, verified) is { } straight)
        {
            shared.Keep(straight);
        }

        return result;
    }

    private Rejection? ExamineSize(Certificate leaf, IReadOnlyList<Certificate> presented)
    {
        if (presented.Count >= Profile.Budget.Certificates)
        {
            return new Rejection(
                RejectionReason.TooManyCertificates, $"at most {Profile.Budget.Certificates} certificates", $"{presented.Count + 1}");
        }

        var bytes = (long)leaf.RawData.Length;
        for (var i = 0; i < presented.Count; i++)
        {
            bytes += presented[i].RawData.Length;
        }

        return bytes <= Profile.Budget.Bytes
            ? null
            : new Rejection(RejectionReason.BudgetExceeded, $"certificates of at most {Profile.Budget.Bytes} octets together", $"{bytes} octets");
    }
}
