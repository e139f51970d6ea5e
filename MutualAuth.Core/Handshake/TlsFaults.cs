using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using MutualAuth.Errors;
using MutualAuth.Hello;
using MutualAuth.Transport;

namespace MutualAuth.Handshake;

/// <summary>Turns what <c>SslStream</c>, the transport and OpenSSL throw into one typed outcome.</summary>
internal static class TlsFaults
{
    // OpenSSL 3 reason codes (sslerr.h): stable numbers of its public header.
    private const int ExcessiveMessageSize = 152;
    private const int NoSharedCipher = 193;
    private const int NoSuitableSignatureAlgorithm = 118;
    private const int NoSharedGroups = 410;
    private const int UnsupportedProtocol = 258;
    private const int WrongSslVersion = 266;
    private const int NoApplicationProtocol = 235;

    // A certificate of our own that the security level refuses; that of a peer's is never asked about.
    private const int CaKeyTooSmall = 397;
    private const int CaDigestTooWeak = 398;
    private const int OwnKeyTooSmall = 399;

    // err.h: reasons that all of its libraries share, here ERR_R_EVP_LIB. It is how a key that does not sign shows.
    private const int CryptographyLibrary = 0x80006;

    /// <summary>
    /// Says what an exception during a handshake means. <paramref name="ourRole"/> and what came before it give an alert its sense.
    /// </summary>
    /// <param name="exception">What was thrown.</param>
    /// <param name="transport">What has been sent and received.</param>
    /// <param name="ourRole">Our role.</param>
    /// <param name="options">What we offered, for hints; null where that is not known.</param>
    internal static HandshakeException ToOutcome(
        Exception exception, HandshakeTransport transport, PeerRole ourRole, HandshakeOptions? options = null)
    {
        if (transport.LimitExceeded)
        {
            return Outcome(
                HandshakeFailure.PeerMisbehaved,
                RejectionReason.HandshakeMessageTooLarge,
                "a handshake within the configured bound",
                $"more than {transport.Received - 1} bytes",
                exception);
        }

        if (transport.Objection is { } objection)
        {
            return new HandshakeException(HelloNegotiation.FailureOf(objection), objection, exception);
        }

        var (alert, localError) = TlsAlerts.Find(exception);
        if (alert is { } received)
        {
            return ToOutcome(received, transport, ourRole, options, exception);
        }

        if (localError is { } error)
        {
            return ToLocalOutcome(error, exception);
        }

        if (ourRole == PeerRole.Client && CleartextProtocols.Recognise(transport.FirstBytes, final: true, ourRole) is { } plain)
        {
            return new HandshakeException(HandshakeFailure.NoAgreement, plain, exception);
        }

        return exception switch
        {
            IOException { InnerException: SocketException socket } =>
                LostTransport(RejectionReason.TransportFailed, socket.SocketErrorCode.ToString(), exception),
            IOException or ObjectDisposedException or SocketException =>
                LostTransport(RejectionReason.TransportClosed, "the end of the stream", exception),
            CryptographicException => Outcome(
                HandshakeFailure.PeerRejected,
                RejectionReason.CertificateMalformed,
                "certificates that the platform can read",
                "ones that it cannot",
                exception),
            AuthenticationException => Outcome(
                HandshakeFailure.PeerMisbehaved,
                RejectionReason.TlsProtocolViolation,
                "the TLS protocol",
                SafeText.Quote(exception.Message),
                exception),
            _ => Outcome(
                HandshakeFailure.PeerMisbehaved,
                RejectionReason.TlsProtocolViolation,
                "a handshake",
                $"an exception, {exception.GetType().Name}",
                exception),
        };
    }

    private static HandshakeException ToOutcome(
        int alert, HandshakeTransport transport, PeerRole ourRole, HandshakeOptions? options, Exception exception)
    {
        const byte HandshakeRecord = 22;

        // A server that answers a ClientHello with nothing but an alert has judged the offer, not the certificate.
        var judgedOffer = ourRole == PeerRole.Client && !(transport.FirstBytes is [HandshakeRecord, ..]);
        var disagreement = alert switch
        {
            TlsAlerts.NoApplicationProtocol => RejectionReason.AlpnMismatch,
            TlsAlerts.ProtocolVersion => RejectionReason.ProtocolVersionUnsupported,
            TlsAlerts.UnrecognizedName => RejectionReason.UnrecognizedServerName,
            TlsAlerts.HandshakeFailure or 71 when judgedOffer => RejectionReason.NoCommonCipherSuite,
            _ => (RejectionReason?)null,
        };
        var publicReason = TlsAlerts.ToPublicReason(alert);
        var presented = $"the TLS alert {alert} ({publicReason.ToCode()})";
        if (disagreement is not { } reason)
        {
            return new HandshakeException(
                HandshakeFailure.RefusedByPeer,
                new Rejection(RejectionReason.RefusedByPeer, "the peer's acceptance", presented)
                { Hint = ourRole == PeerRole.Client ? HintForRefusedClient(publicReason, options) : null },
                exception)
            { PeerReason = publicReason };
        }

        var hint = reason switch
        {
            RejectionReason.AlpnMismatch => HintForStrictPeer,
            RejectionReason.NoCommonCipherSuite when options is not null => HintForRefusedOffer(options),
            RejectionReason.UnrecognizedServerName => "The peer serves other names; check the server name that was dialled.",
            _ => null,
        };
        return new HandshakeException(HandshakeFailure.NoAgreement, new Rejection(reason, "agreement", presented) { Hint = hint }, exception)
        { PeerReason = publicReason };
    }

    // The first thing that a client meets at a plain server with protocols of its own (nginx, Go): the lines to write, to be copied.
    private const string HintForStrictPeer = "The peer knows none of our ids. If it speaks plain TLS, write Confirmation = ConfirmationPolicy.Never; "
        + "if it has an application protocol, name that: ApplicationProtocols = [\"http/1.1\"].";

    /// <summary>Many servers say handshake_failure where they mean the version (RFC 8446 §6.2 has an alert of its own for it).</summary>
    private static string HintForRefusedOffer(HandshakeOptions options) => options.TlsVersions.Lowest == TlsVersion.Tls13
        ? "We offered TLS 1.3 and nothing older. If the peer has TLS 1.2 alone, set MinimumTlsVersion to TLS 1.2, or upgrade the peer."
        : options.TlsVersions.Highest == TlsVersion.Tls12
        ? "We offered TLS 1.2 and nothing newer, because CipherSuites names none of TLS 1.3. If the peer wants TLS 1.3, add one."
        : "Compare cipher suites, groups and signature algorithms with the peer's; a peer without a certificate for the dialled name, or of a kind "
            + "that we cannot verify, answers so too.";

    /// <summary>
    /// A certificate that the server's request does not fit stays with us: the TLS engine leaves it out without a word.
    /// </summary>
    internal static string? HintForRefusedClient(PublicReason reason, HandshakeOptions? options) =>
        reason != PublicReason.CertificateRequired || options is null ? null
        : options.OwnIdentityIsNone ? "The server wants a certificate of ours, and Identity is ClientIdentity.None."
        : "We have a certificate, and the server got none: its request may leave out keys of our kind (an ECDSA key at a server that asks for RSA, "
            + "or the reverse; P-521 or brainpool). Compare the server's signature algorithms, or use a key of another kind.";

    private static HandshakeException ToLocalOutcome(int error, Exception exception)
    {
        var text = Innermost(exception).Message;
        return error switch
        {
            ExcessiveMessageSize => Outcome(
                HandshakeFailure.PeerMisbehaved,
                RejectionReason.HandshakeMessageTooLarge,
                "handshake messages of the size that TLS accepts",
                SafeText.Quote(text),
                exception),
            NoSharedCipher or NoSharedGroups or NoSuitableSignatureAlgorithm => Outcome(
                HandshakeFailure.NoAgreement,
                RejectionReason.NoCommonCipherSuite,
                "a cipher suite, group and signature algorithm in common",
                SafeText.Quote(text),
                exception),
            UnsupportedProtocol or WrongSslVersion => Outcome(
                HandshakeFailure.NoAgreement,
                RejectionReason.ProtocolVersionUnsupported,
                "TLS 1.2 or 1.3, as configured",
                SafeText.Quote(text),
                exception),
            NoApplicationProtocol => new HandshakeException(
                HandshakeFailure.NoAgreement,
                new Rejection(RejectionReason.AlpnMismatch, "an application protocol in common", SafeText.Quote(text)) { Hint = HintForStrictPeer },
                exception),
            CryptographyLibrary => new HandshakeException(
                HandshakeFailure.OurFault,
                new Rejection(RejectionReason.CryptographyFailed, "keys that can be used", SafeText.Quote(text))
                { Hint = "If our key is kept in hardware, see that its token is there and unlocked." },
                exception),
            CaKeyTooSmall or CaDigestTooWeak or OwnKeyTooSmall => new HandshakeException(
                HandshakeFailure.OurFault,
                new Rejection(
                    RejectionReason.CryptographyFailed, "a certificate of our own that the platform's security level allows", SafeText.Quote(text))
                {
                    Hint = "Have our certificate and its intermediates issued again with RSA of 2048 bits or more, or P-256, and SHA-256.",
                },
                exception),
            _ => Outcome(HandshakeFailure.PeerMisbehaved, RejectionReason.TlsProtocolViolation, "the TLS protocol", SafeText.Quote(text), exception),
        };
    }

    private static HandshakeException LostTransport(RejectionReason reason, string presented, Exception exception) =>
        Outcome(HandshakeFailure.TransportLost, reason, "a complete handshake", presented, exception);

    private static HandshakeException Outcome(
        HandshakeFailure failure, RejectionReason reason, string expected, string presented, Exception exception) =>
        new(failure, new Rejection(reason, expected, presented), exception);

    private static Exception Innermost(Exception exception)
    {
        while (exception.InnerException is { } inner)
        {
            exception = inner;
        }

        return exception;
    }
}
