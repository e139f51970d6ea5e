namespace MutualAuth.Testing.Responders;

/// <summary>
/// Addresses for a bad peer's certificate that must never be asked: a validator that follows them lets strangers choose what it fetches.
/// </summary>
/// <remarks>It does serve what is asked for, so that a validator that falls for it also shows it by its verdict.</remarks>
public sealed class AiaTrap : HttpResponder
{
    private readonly ReadOnlyMemory<byte> _certificate;

    /// <summary>Sets the trap.</summary>
    /// <param name="certificate">The certificate to serve as the issuer's, in DER; empty serves nothing.</param>
    public AiaTrap(ReadOnlyMemory<byte> certificate = default)
        : base(TimeProvider.System) => _certificate = certificate;

    /// <summary>For <see cref="CertificateSpec.IssuerUris"/>.</summary>
    public string IssuerUri => BaseUri + "issuer.cer";

    /// <summary>For <see cref="CertificateSpec.CrlDistributionPoints"/>.</summary>
    public string CrlUri => BaseUri + "revoked.crl";

    /// <summary>For <see cref="CertificateSpec.OcspUris"/>.</summary>
    public string OcspUri => BaseUri + "ocsp";

    /// <summary>Puts all three addresses into a certificate.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="spec"/> is null.</exception>
    public CertificateSpec Bait(CertificateSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return spec with { IssuerUris = [IssuerUri], CrlDistributionPoints = [CrlUri], OcspUris = [OcspUri] };
    }

    private protected override ResponderReply Answer(ResponderRequest request) => _certificate.IsEmpty
        || !request.Path.EndsWith(".cer", StringComparison.Ordinal)
        ? ResponderReply.NotFound
        : new ResponderReply(200, "application/pkix-cert", _certificate.ToArray());
}
