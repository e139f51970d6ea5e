using System.Security.Authentication;
using MutualAuth.Certificates;
using MutualAuth.Confirmation;
using MutualAuth.Credentials;
using MutualAuth.Evidence;
using MutualAuth.Transport;
using MutualAuth.Validation;

namespace MutualAuth.Handshake;

/// <summary>What is fixed once TLS is complete: what was negotiated, and what the certificate stage says of the peer.</summary>
internal sealed class CompletedTls
{
    private readonly string? _application;

    internal CompletedTls(GuardedSslStream stream, PeerValidationCallback judge, CertificateVerdict verdict)
    {
        Stream = stream;
        Evidence = judge.Evidence!;
        Verdict = verdict;
        NegotiatedProtocol = ConfirmationProtocol.FromWire(stream.NegotiatedApplicationProtocol);
        Confirms = ConfirmationProtocol.TryParse(NegotiatedProtocol, out _application);
    }

    internal GuardedSslStream Stream { get; }

    internal PeerEvidence Evidence { get; }

    internal CertificateVerdict Verdict { get; }

    /// <summary>The application protocol as TLS negotiated it; null for none.</summary>
    internal string? NegotiatedProtocol { get; }

    /// <summary>Whether both sides speak the confirmation protocol.</summary>
    internal bool Confirms { get; }

    /// <summary>The server's own certificate, where we are the server.</summary>
    internal Certificate? OwnServerCertificate { get; init; }

    /// <summary>The name of the server that the client asked for; null for none.</summary>
    internal string? ServerName { get; init; }

    /// <summary>What we have shown to the server, where we are the client; null for nothing.</summary>
    internal Identity? OwnIdentity { get; init; }

    /// <summary>Whether the server asked for our certificate; null where that cannot be said.</summary>
    internal bool? WeWereAsked { get; init; }

    /// <summary>The group by which keys were exchanged; null for none.</summary>
    internal KeyExchangeGroup? KeyExchangeGroup { get; init; }

    internal AuthenticatedPeer? Peer => (Verdict as CertificateVerdict.Accepted)?.Peer;

    internal SessionFacts ToSessionFacts() => new(
        Stream.SslProtocol == SslProtocols.Tls13 ? TlsVersion.Tls13 : TlsVersion.Tls12,
        Stream.NegotiatedCipherSuite,
        Confirms ? _application : NegotiatedProtocol,
        ServerName)
    {
        OwnCertificateRequested = WeWereAsked,
        KeyExchangeGroup = KeyExchangeGroup,
    };

    internal ChannelFacts ToChannelFacts() => new(OwnServerCertificate ?? Peer?.Certificate);
}
