namespace MutualAuth;

/// <summary>What is wrong with material of our own.</summary>
public enum MaterialProblem
{
    /// <summary>It cannot be used, for a reason that the message alone tells.</summary>
    Unusable = 1,

    /// <summary>A file is missing, may not be read, or is too large.</summary>
    Unreadable = 2,

    /// <summary>There is no certificate, or one that cannot be read.</summary>
    NoCertificate = 3,

    /// <summary>There is no private key, or one of a kind that the platform does not have.</summary>
    NoKey = 4,

    /// <summary>The key is encrypted, and there is no password or a wrong one.</summary>
    WrongPassword = 5,

    /// <summary>The key is not the certificate's.</summary>
    KeyMismatch = 6,

    /// <summary>An intermediate is missing or does not belong to the chain.</summary>
    BrokenChain = 7,

    /// <summary>The certificate is not meant for the role that it is to play.</summary>
    WrongUsage = 8,

    /// <summary>A certificate is not valid yet.</summary>
    NotYetValid = 9,

    /// <summary>A certificate has expired.</summary>
    Expired = 10,

    /// <summary>The certificate lacks a name that it must have.</summary>
    WrongName = 11,

    /// <summary>The trust that our peers are said to have would not accept it.</summary>
    NotTrusted = 12,

    /// <summary>The platform's security level refuses the certificate, or one that is sent with it: a key that is too short, or a signature with a weak hash.</summary>
    TooWeak = 13,
}
