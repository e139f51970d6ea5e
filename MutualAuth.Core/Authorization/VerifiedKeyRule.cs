using MutualAuth.Errors;
using MutualAuth.Reloading;

namespace MutualAuth.Authorization;

/// <summary>Accepts a known peer whose key people have compared over another channel.</summary>
internal sealed class VerifiedKeyRule : AuthorizationRule
{
    public override string ToString() => "a known peer whose key was compared over another channel";

    internal override IEnumerable<IReloadable> Reloadables() => [];

    internal override Rejection? Examine(CertificateContext context, out PeerName? name)
    {
        name = null;
        return context.IsKeyVerified == true ? null : new Rejection(
            RejectionReason.PeerNotVerified,
            "a known peer whose key was compared over another channel",
            context.IsKeyVerified is null ? "a peer that no store of known peers knows" : "one whose key was met and not compared")
        {
            Element = "leaf certificate",
            Hint = "Have both people read out the fingerprint, and keep that with KnownPeerStore.VerifyAsync.",
        };
    }
}
