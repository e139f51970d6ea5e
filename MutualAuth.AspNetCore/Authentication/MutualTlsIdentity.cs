using System.Globalization;
using System.Security.Claims;

namespace MutualAuth.AspNetCore.Authentication;

/// <summary>The identity that the scheme makes. It has the peer itself, so that policies judge facts and not text.</summary>
internal sealed class MutualTlsIdentity : ClaimsIdentity
{
    private readonly IMutualTlsFeature _feature;

    internal MutualTlsIdentity(IMutualTlsFeature feature, AuthenticatedPeer peer)
        : base(ClaimsOf(feature, peer), MutualTlsDefaults.AuthenticationScheme, MutualTlsClaimTypes.Peer, ClaimTypes.Role)
    {
        _feature = feature;
        Peer = peer;
    }

    private MutualTlsIdentity(MutualTlsIdentity other)
        : base(other)
    {
        _feature = other._feature;
        Peer = other.Peer;
    }

    /// <summary>As it was when the request was authenticated.</summary>
    internal AuthenticatedPeer Peer { get; }

    /// <summary>Why the peer would no longer be accepted; null while it is.</summary>
    internal Rejection? Loss => _feature.Connection?.Invalidation?.Rejection;

    public override ClaimsIdentity Clone() => new MutualTlsIdentity(this);

    private static IEnumerable<Claim> ClaimsOf(IMutualTlsFeature feature, AuthenticatedPeer peer)
    {
        yield return new Claim(MutualTlsClaimTypes.Peer, peer.Name);
        if (peer.SpiffeId is { } id)
        {
            yield return new Claim(MutualTlsClaimTypes.SpiffeId, id.ToString());
        }

        if (peer.User is { } user)
        {
            yield return new Claim(MutualTlsClaimTypes.User, user.Name);
            if (peer.Certificate is not null)
            {
                yield return new Claim(MutualTlsClaimTypes.Device, peer.Name);
            }
        }

        foreach (var proof in Enum.GetValues<PeerProofs>())
        {
            if (proof != PeerProofs.None && peer.Proofs.HasFlag(proof))
            {
                yield return new Claim(MutualTlsClaimTypes.Proof, proof.ToString());
            }
        }

        if (feature.Connection?.IsConfirmed == true)
        {
            yield return new Claim(MutualTlsClaimTypes.Confirmed, bool.TrueString.ToLower(CultureInfo.InvariantCulture), ClaimValueTypes.Boolean);
        }
    }
}
