namespace MutualAuth;

/// <summary>How much certificate material a peer may present before it is authenticated.</summary>
/// <remarks>Immutable; checked by the constructor that takes it.</remarks>
public sealed record CertificateLimits
{
    /// <summary>Certificates in the list, the peer's own included. Default 16.</summary>
    public int MaxCertificates { get; init; } = 16;

    /// <summary>Bytes of one certificate. Default 32,768.</summary>
    public int MaxCertificateBytes { get; init; } = 32 * 1024;

    internal IEnumerable<string> Problems()
    {
        if (MaxCertificates < 1)
        {
            yield return $"{nameof(MaxCertificates)} must be at least 1; it is {MaxCertificates}.";
        }

        if (MaxCertificateBytes < 1024)
        {
            yield return $"{nameof(MaxCertificateBytes)} must be at least 1024; it is {MaxCertificateBytes}.";
        }
    }
}
