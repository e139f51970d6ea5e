namespace MutualAuth.Spiffe;

/// <summary>The limits of one update. An update over a limit is rejected and never truncated.</summary>
/// <remarks>Immutable.</remarks>
public sealed record UpdateLimits
{
    /// <summary>The size of a whole message in bytes. 64 KiB to 64 MiB; default 4 MiB.</summary>
    public int MaxMessageBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>How many identities. 1 to 4,096; default 64.</summary>
    public int MaxIdentities { get; init; } = 64;

    /// <summary>How many certificates in one chain. 1 to 64; default 16.</summary>
    public int MaxChainCertificates { get; init; } = 16;

    /// <summary>How many certificates in one bundle. 1 to 10,000; default 256.</summary>
    public int MaxBundleCertificates { get; init; } = 256;

    /// <summary>How many federated trust domains. 0 to 10,000; default 1,000.</summary>
    public int MaxFederatedTrustDomains { get; init; } = 1_000;

    /// <summary>How many revocation lists. 0 to 10,000; default 256.</summary>
    public int MaxRevocationLists { get; init; } = 256;

    internal IEnumerable<string> Problems()
    {
        (string Name, int Value, int Least, int Most)[] limits =
        [
            (nameof(MaxMessageBytes), MaxMessageBytes, 64 * 1024, 64 * 1024 * 1024),
            (nameof(MaxIdentities), MaxIdentities, 1, 4096),
            (nameof(MaxChainCertificates), MaxChainCertificates, 1, 64),
            (nameof(MaxBundleCertificates), MaxBundleCertificates, 1, 10_000),
            (nameof(MaxFederatedTrustDomains), MaxFederatedTrustDomains, 0, 10_000),
            (nameof(MaxRevocationLists), MaxRevocationLists, 0, 10_000),
        ];
        return limits.Where(limit => limit.Value < limit.Least || limit.Value > limit.Most)
            .Select(limit => $"{limit.Name} must be {limit.Least} to {limit.Most}; it is {limit.Value}.");
    }
}
