namespace MutualAuth.Testing.Revocation;

/// <summary>The issuing distribution point of a CRL, written critical (RFC 5280 §5.2.5): which part of the authority's certificates it speaks of.</summary>
public sealed record IssuingDistributionPoint
{
    /// <summary>Where this CRL is said to lie; null leaves it out.</summary>
    public string? Uri { get; init; }

    /// <summary>Speaks of end entities only.</summary>
    public bool OnlyEndEntities { get; init; }

    /// <summary>Speaks of authorities only.</summary>
    public bool OnlyAuthorities { get; init; }

    /// <summary>Speaks of attribute certificates only.</summary>
    public bool OnlyAttributeCertificates { get; init; }

    /// <summary>Speaks of certificates of other issuers too.</summary>
    public bool Indirect { get; init; }

    /// <summary>The reasons that it covers, as the first octet of ReasonFlags (RFC 5280 §4.2.1.13): 0x40 is keyCompromise, 0x20 cACompromise; null covers all.</summary>
    public int? OnlySomeReasons { get; init; }
}
