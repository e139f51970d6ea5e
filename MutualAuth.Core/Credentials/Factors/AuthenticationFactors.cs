namespace MutualAuth.Credentials;

/// <summary>The kinds of authentication factors (NIST SP 800-63-4 §2.3.1, PSD2 regulatory technical standards, article 4).</summary>
[Flags]
public enum AuthenticationFactors
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Something that only the user knows: a password, also the one behind a Kerberos ticket.</summary>
    Knowledge = 1,

    /// <summary>Something that only the user has: what makes one-time codes, a passkey.</summary>
    Possession = 2,

    /// <summary>Something that the user is: a biometric trait.</summary>
    Inherence = 4,
}
