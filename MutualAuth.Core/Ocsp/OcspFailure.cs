namespace MutualAuth.Ocsp;

/// <summary>
/// What becomes of a peer when no OCSP answer that can be relied on was to be had. A certificate that is answered to be revoked or unknown is
/// rejected always.
/// </summary>
public enum OcspFailure
{
    /// <summary>It is rejected with <see cref="RejectionReason.RevocationStatusUnknown"/>. Hard fail.</summary>
    Deny = 1,

    /// <summary>The peer is accepted, and a warning is logged (soft fail): an attacker that blocks the responder disables every revocation.</summary>
    DangerouslyAllow = 2,
}
