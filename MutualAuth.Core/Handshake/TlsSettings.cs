using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Confirmation;

namespace MutualAuth.Handshake;

/// <summary>What <c>SslStream</c> is told. Every default of its that matters is set here, on purpose.</summary>
internal static class TlsSettings
{
    /// <param name="options">Our options.</param>
    /// <param name="identity">What we present.</param>
    /// <param name="protocol">The one application protocol id to agree on; null for none.</param>
    /// <param name="sharesContext">Whether the TLS context of the identity is taken, and none is made for this connection.</param>
    /// <remarks>Nothing in it is of one connection, so that several may take the same.</remarks>
    internal static SslServerAuthenticationOptions ForServer(
        HandshakeOptions options, Identity identity, string? protocol, bool sharesContext) => new()
        {
            ServerCertificateContext = AcceptableIssuers.ContextOf(options, identity),
            ClientCertificateRequired = options.RequiredCredentials.AsksForCertificate,
            EnabledSslProtocols = Versions(options),
            ApplicationProtocols = protocol is null ? null : [ConfirmationProtocol.ToWire(protocol)],
            CertificateChainPolicy = PeerValidationCallback.EmptyPlatformPolicy,
            CipherSuitesPolicy = Only(options),
            RemoteCertificateValidationCallback = PeerValidationCallback.Ask,
            AllowRenegotiation = false,

            // By this the platform shares its context. A ticket would hold the leaf alone, for all who hold this certificate:
            // docs/decisions/0004 and 0024.
            AllowTlsResume = sharesContext,
        };

    /// <param name="options">Our options.</param>
    /// <param name="serverName">The name to ask for; null for none.</param>
    /// <param name="offer">The application protocol ids to offer; null for none.</param>
    /// <param name="identities">What we may present, the favourite first; none for nothing.</param>
    /// <param name="judgeFirst">Withhold it until <paramref name="judge"/> has accepted the server's own certificate.</param>
    /// <param name="sharesContext">Whether the TLS context of the identity is taken, and none is made for this connection.</param>
    /// <param name="judge">What judges the server.</param>
    internal static SslClientAuthenticationOptions ForClient(
        HandshakeOptions options,
        ServerName? serverName,
        List<SslApplicationProtocol>? offer,
        ImmutableArray<Identity> identities,
        bool judgeFirst,
        bool sharesContext,
        PeerValidationCallback judge)
    {
        var settings = new SslClientAuthenticationOptions
        {
            TargetHost = serverName?.ToString(),
            EnabledSslProtocols = Versions(options),
            ApplicationProtocols = offer,
            CertificateChainPolicy = PeerValidationCallback.EmptyPlatformPolicy,
            CipherSuitesPolicy = Only(options),
            RemoteCertificateValidationCallback = PeerValidationCallback.Ask,
            AllowRenegotiation = false,
            AllowTlsResume = sharesContext, // as above; a hello that offers a session is withheld
        };
        if (identities.Length > 1 || (judgeFirst && identities.Length > 0))
        {
            settings.LocalCertificateSelectionCallback = Choosing(identities, judge, judgeFirst);
        }
        else
        {
            settings.ClientCertificateContext = identities.IsEmpty ? null : identities[0].TlsContext;
        }

        return settings;
    }

    private static LocalCertificateSelectionCallback Choosing(ImmutableArray<Identity> identities, PeerValidationCallback judge, bool judgeFirst) =>
        (_, _, _, server, issuers) => Select(server, issuers, identities, judge, judgeFirst)!;

    private static SslProtocols Versions(HandshakeOptions options) => options.TlsVersions.Lowest.UpTo(options.TlsVersions.Highest);

    private static CipherSuitesPolicy? Only(HandshakeOptions options)
    {
        if (options.CipherSuites.IsEmpty)
        {
            return null;
        }

        // The options have been checked; this tells the analyser, and holds should the check ever go.
        return OperatingSystem.IsWindows() || OperatingSystem.IsAndroid()
            ? throw new PlatformNotSupportedException()
            : new CipherSuitesPolicy(options.CipherSuites);
    }

    // Asked first before the ClientHello, without a server; then, if nothing was given, with the server's certificate and before ours goes out.
    private static X509Certificate2? Select(
        X509Certificate? server, string[] issuers, ImmutableArray<Identity> identities, PeerValidationCallback judge, bool judgeFirst)
    {
        judge.WasAskedForOurs |= server is not null;
        return server is not null && (!judgeFirst || judge.AcceptsBeforeShowing(server))
            ? identities.FirstOrDefault(identity => identities.Length == 1 || AcceptableIssuers.Fit(identity, issuers))?.PlatformCertificate
            : null;
    }
}
