namespace MutualAuth.Testing.BadPeers;

/// <summary>What the side that judges must be told to look at, beyond the path to a trust anchor, for a bad peer to be bad.</summary>
public enum RequiredCheck
{
    /// <summary>None: every implementation that trusts the authority must reject this peer.</summary>
    Nothing = 1,

    /// <summary>The name that was dialled (<see cref="BadPeerCase.DialledName"/>).</summary>
    ServerName = 2,

    /// <summary>One DNS name, that of the good neighbour.</summary>
    DnsName = 3,

    /// <summary>Membership of the good neighbour's SPIFFE trust domain.</summary>
    SpiffeId = 4,

    /// <summary>The pins of <see cref="BadPeerCase.Pins"/>.</summary>
    Pins = 5,

    /// <summary>The revocation lists of <see cref="BadPeerCase.Crls"/>, with every certificate but the anchor to be covered.</summary>
    Revocation = 6,
}
