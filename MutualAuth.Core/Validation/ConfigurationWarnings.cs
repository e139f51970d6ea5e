namespace MutualAuth.Validation;

/// <summary>Warnings about a configuration that may be meant so. Each is logged once, when what has the configuration is made.</summary>
[Flags]
public enum ConfigurationWarnings
{
    /// <summary>None of them.</summary>
    None = 0,

    /// <summary>Event 1110: peers are not checked against revocation lists, because none are configured.</summary>
    RevocationNotChecked = 1,

    /// <summary>Event 1111: the revocation policy lets pass what the defaults reject.</summary>
    RevocationRelaxed = 2,

    /// <summary>Event 1113: peers are likely to reject our own certificate, or do not trust the authority that we trust.</summary>
    OwnIdentityDoubtful = 4,

    /// <summary>Event 1204: the bounds of a listener allow more sockets than the process may open descriptors.</summary>
    BoundsExceedDescriptors = 8,
}
