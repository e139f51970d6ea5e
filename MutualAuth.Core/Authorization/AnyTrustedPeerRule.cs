using MutualAuth.Reloading;

namespace MutualAuth.Authorization;

/// <summary>Accepts every peer with a path to a trust anchor.</summary>
internal sealed class AnyTrustedPeerRule : AuthorizationRule
{
    public override string ToString() => "every peer with a path to a trust anchor";

    internal override IEnumerable<IReloadable> Reloadables() => [];

    internal override Rejection? Examine(CertificateContext context, out PeerName? name)
    {
        name = null;
        return null;
    }
}
