using System.Collections.Immutable;
using MutualAuth.Certificates;
using MutualAuth.Collections;
using MutualAuth.Errors;
using MutualAuth.Identities;
using MutualAuth.Names;
using MutualAuth.Paths;

namespace MutualAuth.Expiry;

/// <summary>
/// Judges an identity of our own as a peer would, before any peer does: dates, usage, the whole chain, names, and the trust that peers have.
/// </summary>
/// <remarks>
/// Immutable and safe for use from many threads. Each mistake is a <see cref="MaterialException"/> with its kind and a sentence that says what to do.
/// </remarks>
public sealed record IdentityCheck : IIdentityCheck
{
    private EquatableArray<string> _names = new([]);
    private readonly PathValidator _validator = new();

    /// <summary>Objects to nothing: what is wrong shows at the first peer.</summary>
    public static IIdentityCheck None { get; } = new Nothing();

    /// <summary>The part that we play with this identity, which decides the purpose that its certificate needs.</summary>
    public required PeerRole Role { get; init; }

    /// <summary>
    /// What our peers trust, as far as we know; in a system of one authority that is what we trust ourselves. Default: not known, not checked.
    /// </summary>
    public ITrustAnchorSource? Trust { get; init; }

    /// <summary>DNS names and IP addresses under which peers will dial us, all of which the certificate must carry. Default: none.</summary>
    public ImmutableArray<string> Names
    {
        get => _names.Items;
        init => _names = new(value);
    }

    /// <inheritdoc/>
    public MaterialException? Examine(Identity identity, DateTimeOffset at)
    {
        ArgumentNullException.ThrowIfNull(identity);
        return ValidityCheck.Instance.Examine(identity, at) ?? ExamineNames(identity.Certificate) ?? ExaminePath(identity, at);
    }

    private MaterialException? ExamineNames(Certificate certificate)
    {
        foreach (var text in Names)
        {
            var name = ServerName.Parse(text);
            var isCarried = name.Dns is { } dns
                ? certificate.DnsNames.Any(carried => DnsNameMatcher.Matches(carried, dns))
                : certificate.IPAddresses.Contains(name.Address!);
            if (!isCarried)
            {
                return new MaterialException(
                    $"The certificate {certificate} lacks the subject alternative name {name}, under which peers dial us: have it issued "
                        + "again with that name.")
                { Problem = MaterialProblem.WrongName };
            }
        }

        return null;
    }

    private MaterialException? ExaminePath(Identity identity, DateTimeOffset at)
    {
        var trust = Trust?.Current;

        // Without a trust to ask, the chain must hold up to where it ends.
        var anchors = TrustAnchors.FromDer(
            (trust?.Certificates ?? [identity.Intermediates.LastOrDefault() ?? identity.Certificate]).Select(anchor => anchor.RawData));
        if (_validator.Validate(identity.Certificate, identity.Intermediates, anchors, Role, at).Rejection is not { } rejection)
        {
            return null;
        }

        var isHelped = trust is { Intermediates.IsEmpty: false }
            && _validator.Validate(identity.Certificate, identity.Intermediates, trust, Role, at).Rejection is null;
        return rejection.Reason switch
        {
            RejectionReason.UnknownAuthority when isHelped => new MaterialException(
                $"The chain of {identity.Certificate} lacks an intermediate that we know and peers may not: add the certificate of "
                    + $"{Last(identity).Issuer} to the chain.")
            { Problem = MaterialProblem.BrokenChain },
            RejectionReason.UnknownAuthority => new MaterialException(
                $"The chain of {identity.Certificate} ends at {SafeText.Quote(Last(identity).Issuer.ToString())}, which is "
                    + (anchors.Certificates.Length == 1
                        ? "not the trusted authority: "
                        : $"none of the {anchors.Certificates.Length} trusted authorities: ")
                    + "add the missing intermediates to the chain, or have peers trust that "
                    + $"authority. {rejection}")
            { Problem = MaterialProblem.NotTrusted },
            RejectionReason.SignatureInvalid => Rejected(identity, rejection, MaterialProblem.BrokenChain),
            RejectionReason.WrongUsage or RejectionReason.CertificateAuthorityAsLeaf or RejectionReason.IssuerNotAuthority =>
                Rejected(identity, rejection, MaterialProblem.WrongUsage),
            _ => Rejected(identity, rejection, MaterialProblem.NotTrusted),
        };
    }

    private static Certificate Last(Identity identity) => identity.Intermediates.LastOrDefault() ?? identity.Certificate;

    private static MaterialException Rejected(Identity identity, Rejection rejection, MaterialProblem problem) =>
        new($"Peers would reject the certificate {identity.Certificate}: {rejection}") { Problem = problem };

    private sealed class Nothing : IIdentityCheck
    {
        public MaterialException? Examine(Identity identity, DateTimeOffset at) => null;
    }
}
