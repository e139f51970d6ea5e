using MutualAuth.Certificates;
using MutualAuth.Names;
using MutualAuth.Reloading;

namespace MutualAuth.Authorization;

/// <summary>Accepts workloads by their SPIFFE ID; a certificate that is not a valid X.509-SVID is rejected.</summary>
internal sealed class SvidRule : AuthorizationRule
{
    private readonly string _expected;
    private readonly Func<SpiffeId, bool> _admits;
    private readonly RuleKey _key;

    private SvidRule(RuleKey key, string expected, Func<SpiffeId, bool> admits) => (_key, _expected, _admits) = (key, expected, admits);

    internal override RuleKey? Key => _key;

    internal override bool NamesEachPeer => _key.Kind == RuleKeyKind.SpiffeId;

    internal static SvidRule OfWorkload(SpiffeId id) => new(new(RuleKeyKind.SpiffeId, id), $"the SPIFFE ID {id}", id.Equals);

    internal static SvidRule OfMembers(TrustDomain trustDomain) =>
        new(new(RuleKeyKind.TrustDomain, trustDomain), $"a SPIFFE ID in the trust domain {trustDomain}", id => id.IsMemberOf(trustDomain));

    public override string ToString() => $"an X.509-SVID with {_expected}";

    internal override IEnumerable<IReloadable> Reloadables() => [];

    internal override Rejection? Examine(CertificateContext context, out PeerName? name)
    {
        name = null;
        if (SpiffeSvid.Read(context.Certificate, out var id) is { } notAnSvid)
        {
            // What was wanted comes first: among alternatives it is all that tells one from another.
            return notAnSvid with { Expected = $"{_expected}: {notAnSvid.Expected}" };
        }

        if (!_admits(id!))
        {
            return new Rejection(RejectionReason.NotAuthorized, _expected, id!.ToString()) { Element = "leaf certificate" };
        }

        name = PeerName.SpiffeId(id!);
        return null;
    }
}
