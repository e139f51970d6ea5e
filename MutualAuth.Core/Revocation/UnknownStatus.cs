namespace MutualAuth.Revocation;

/// <summary>What happens to a certificate whose status must be known and is not.</summary>
public enum UnknownStatus
{
    /// <summary>It is rejected with <see cref="RejectionReason.RevocationStatusUnknown"/>.</summary>
    Deny = 1,

    /// <summary>It is accepted: a list that is missing, expired, forged or out of scope then revokes no certificate. Soft fail.</summary>
    DangerouslyAllow = 2,
}
