namespace MutualAuth.Testing.BadPeers;

/// <summary>What the side that judges must be told to look at, beyond the path to a trust anchor, for a bad peer to be bad.</summary>
public enum RequiredCheck
{
    /// <summary>None: every right implementation that trusts the authority rejects this peer.</summary>
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

    /// <summary>
    /// That a certificate says what it is for: RFC 5280 §4.2.1.12 lets one without an extended key usage, or for any usage, pass.
    /// </summary>
    ExplicitPurpose = 7,

    /// <summary>
    /// What not every platform can check, such as Ed25519 (.NET) and constraints on directory names (Go): who cannot must refuse, the good
    /// neighbour too, and who can is right to accept what it has checked.
    /// </summary>
    PlatformLimit = 8,

    /// <summary>Bounds of an implementation on what a stranger may send: X.509 itself has none.</summary>
    Bounds = 9,

    /// <summary>DER and RFC 5280 to the letter: readers that are widely used take the encoding as it is meant.</summary>
    StrictEncoding = 10,

    /// <summary>
    /// That an authority is no peer, that a key does nothing that its usages do not name, and that an intermediate's purposes bind what is below
    /// it: profiles say so, and widely used validators do not look.
    /// </summary>
    StrictProfile = 11,

    /// <summary>Certificate policies (RFC 5280 §6.1.3 (d) to (f)), which many validators look at only when they are told to.</summary>
    Policies = 12,

    /// <summary>
    /// That keys and digests are strong enough, without MD5, SHA-1 and RSA of 1024 bits: many validators leave that to the administrator.
    /// </summary>
    StrongAlgorithms = 13,
}
