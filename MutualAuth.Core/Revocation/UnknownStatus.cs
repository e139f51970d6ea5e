namespace MutualAuth.Revocation;

/// <summary>What becomes of a certificate whose status must be known and is not.</summary>
public enum UnknownStatus
{
    /// <summary>It is rejected with <see cref="RejectionReason.RevocationStatusUnknown"/>.</summary>
    Deny = 0,

    /// <summary>The certificate is accepted: a missing, expired, forged or out-of-scope list then revokes nothing. Soft fail.</summary>
    DangerouslyAllow = 1,
}
