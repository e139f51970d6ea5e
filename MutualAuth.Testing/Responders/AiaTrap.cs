namespace MutualAuth.Testing.Responders;

/// <summary>
/// Addresses for a bad peer's certificate that must never be asked: a validator that follows them lets strangers choose what it fetches.
/// </summary>
/// <remarks>It does serve what is asked for, so that a validator that falls for it also shows it by its verdict.</remarks>
public sealed class AiaTrap : HttpResponder
{
    private const string Issuer = "issuer.cer";
    private const string Crl = "revoked.crl";
    private const string Ocsp = "ocsp";

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
    public string IssuerUri => BaseUri + Issuer;

    /// <summary>For <see cref="CertificateSpec.CrlDistributionPoints"/>.</summary>
    public string CrlUri => BaseUri + Crl;

    /// <summary>For <see cref="CertificateSpec.OcspUris"/>.</summary>
    public string OcspUri => BaseUri + Ocsp;

    internal override IReadOnlyList<string> Methods { get; } = ["GET", "HEAD", "POST"];

    /// <summary>Puts all three addresses into a certificate.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="spec"/> is null.</exception>
    public CertificateSpec Bait(CertificateSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return spec with { IssuerUris = [IssuerUri], CrlDistributionPoints = [CrlUri], OcspUris = [OcspUri] };
    }

    internal override HttpRefusal? Refuse(ResponderRequest request) =>
        request.Name is Issuer or Crl || IsOcsp(request) ? null
            : new HttpRefusal(
                404,
                ResponderProblemKind.PathNotServed,
                $"{HttpRequestHead.Quote(request.Path)} is none of the trap's addresses: /{Issuer}, /{Crl}, /{Ocsp}");

    internal override string ContentTypeOf(ResponderRequest request) => request.Name switch
    {
        Issuer => "application/pkix-cert",
        Crl => "application/pkix-crl",
        _ => "application/ocsp-response",
    };

    private protected override ResponderReply Answer(ResponderRequest request) => _certificate.IsEmpty || request.Name != Issuer
        ? ResponderReply.NotFound
        : new ResponderReply(200, ContentTypeOf(request), _certificate.ToArray());

    // Asked by GET, the request follows in the path (RFC 6960 appendix A).
    private static bool IsOcsp(ResponderRequest request) =>
        request.Name == Ocsp || request.Name.StartsWith(Ocsp + "/", StringComparison.Ordinal);
}
