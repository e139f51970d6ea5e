using Microsoft.AspNetCore.Authorization;

namespace MutualAuth.AspNetCore.Authentication;

/// <summary>What the peer of a request must be.</summary>
internal interface IPeerRequirement : IAuthorizationRequirement
{
    /// <summary>Returns null when the peer passes.</summary>
    Rejection? Examine(AuthenticatedPeer peer, DateTimeOffset at);
}

/// <summary>A peer that a rule accepts.</summary>
internal sealed class PeerRequirement(AuthorizationRule rule) : IPeerRequirement
{
    public Rejection? Examine(AuthenticatedPeer peer, DateTimeOffset at) => rule.Examine(peer, at);

    /// <summary>ASP.NET Core logs it when the requirement is not met.</summary>
    public override string ToString() => $"the peer must be {rule}";
}

/// <summary>A peer that has proven this.</summary>
internal sealed class ProofsRequirement(PeerProofs proofs) : IPeerRequirement
{
    public Rejection? Examine(AuthenticatedPeer peer, DateTimeOffset at) => (peer.Proofs & proofs) == proofs
        ? null
        : new Rejection(RejectionReason.NotAuthorized, $"the proofs {proofs}", $"{peer.Proofs}");

    public override string ToString() => $"the peer must have proven {proofs}";
}
