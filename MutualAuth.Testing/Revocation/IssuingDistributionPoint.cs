namespace MutualAuth.Testing.Revocation;

/// <summary>The issuing distribution point of a CRL, written critical (RFC 5280 §5.2.5): the certificates of the authority that it covers.</summary>
public sealed record IssuingDistributionPoint
{
    /// <summary>The address of this CRL; null leaves it out.</summary>
    public string? Uri { get; init; }

    /// <summary>Covers end entities only.</summary>
    public bool OnlyEndEntities { get; init; }

    /// <summary>Covers authorities only.</summary>
    public bool OnlyAuthorities { get; init; }

    /// <summary>Covers attribute certificates only.</summary>
    public bool OnlyAttributeCertificates { get; init; }

    /// <summary>Covers certificates of other issuers too.</summary>
    public bool Indirect { get; init; }

    /// <summary>
    /// The reasons that it covers, as the first octet of ReasonFlags (RFC 5280 §4.2.1.13): 0x40 is keyCompromise, 0x20 cACompromise; null
    /// covers all.
    /// </summary>
    public int? OnlySomeReasons { get; init; }
}
