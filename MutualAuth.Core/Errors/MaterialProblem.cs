namespace MutualAuth;

/// <summary>The kind of problem with our own material.</summary>
public enum MaterialProblem
{
    /// <summary>It is unusable; only the message has the reason.</summary>
    Unusable = 1,

    /// <summary>A file is missing, may not be read, or is too large.</summary>
    Unreadable = 2,

    /// <summary>There is no certificate, or it cannot be read.</summary>
    NoCertificate = 3,

    /// <summary>There is no private key, or the platform does not support its kind.</summary>
    NoKey = 4,

    /// <summary>The key is encrypted, and there is no password or a wrong one.</summary>
    WrongPassword = 5,

    /// <summary>The key does not belong to the certificate.</summary>
    KeyMismatch = 6,

    /// <summary>An intermediate is missing or does not belong to the chain.</summary>
    BrokenChain = 7,

    /// <summary>The certificate is not meant for its role.</summary>
    WrongUsage = 8,

    /// <summary>A certificate is not valid yet.</summary>
    NotYetValid = 9,

    /// <summary>A certificate has expired.</summary>
    Expired = 10,

    /// <summary>The certificate lacks a required name.</summary>
    WrongName = 11,

    /// <summary>The trust anchors that our peers are expected to have would not accept it.</summary>
    NotTrusted = 12,

    /// <summary>
    /// The platform's security level rejects the certificate or one of its intermediates: a key that is too short, or a signature with a weak hash.
    /// </summary>
    TooWeak = 13,

    /// <summary>Every user of the machine may write a file that decides whom we trust or what is accepted.</summary>
    WritableByOthers = 14,

    /// <summary>Others than its owner may read a file of keys that must be private.</summary>
    ReadableByOthers = 15,
}
