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
    /// <param name="publishedHost">
    /// What those who ask call this machine, such as <c>host.docker.internal</c> for a container; it then listens on every address. Null for the
    /// loopback address alone.
    /// </param>
    /// <param name="port">Where to listen; 0 takes a free port.</param>
    /// <exception cref="ArgumentException"><paramref name="publishedHost"/> cannot stand in a URI.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="port"/> is no port.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The port is in use, or not ours to take.</exception>
    public AiaTrap(ReadOnlyMemory<byte> certificate = default, string? publishedHost = null, int port = 0)
        : base(TimeProvider.System, publishedHost, port) => _certificate = certificate;

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
