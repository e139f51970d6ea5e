using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using MutualAuth.Handshake;
using MutualAuth.Tests.Support;
using MutualAuth.Transport;

namespace MutualAuth.Tests.Handshake;

public sealed class TlsFaultsTests
{
    // The first octets of a peer.
    private const string Nothing = "";
    private const string Handshake = "1603030004";
    private const string Alert = "15030300020228";

    // (library << 23 | reason), as OpenSSL packs it and the runtime hands it on.
    [TestCase(0x0A000438u, HandshakeFailure.RefusedByPeer, RejectionReason.RefusedByPeer, TestName = "The alert internal_error is the peer's word")]
    [TestCase(
        0x0A080006u,
        HandshakeFailure.OurFault,
        RejectionReason.CryptographyFailed,
        TestName = "A key of ours that does not sign is our fault, and no alert of number 523294")]
    [TestCase(0x0A0000C1u, HandshakeFailure.NoAgreement, RejectionReason.NoCommonCipherSuite, TestName = "No shared cipher is no agreement")]
    [TestCase(
        0x0A0000F4u,
        HandshakeFailure.PeerMisbehaved,
        RejectionReason.TlsProtocolViolation,
        TestName = "An unexpected message is the peer's misbehaviour")]
    [TestCase(0x0A0004E8u, HandshakeFailure.PeerMisbehaved, RejectionReason.TlsProtocolViolation, TestName = "There is no alert 256")]
    public void What_the_TLS_engine_says_has_one_meaning(uint code, HandshakeFailure failure, RejectionReason reason)
    {
        using var transport = new HandshakeTransport(Stream.Null, 1000);
        var thrown = new AuthenticationException("outer", new CryptographicException("inner") { HResult = unchecked((int)code) });

        var outcome = TlsFaults.ToOutcome(thrown, transport, PeerRole.Server);

        outcome.Failure.Should().Be(failure);
        outcome.Reason.Should().Be(reason);
    }

    private static IEnumerable<TestCaseData> Hints()
    {
        static TestCaseData Case(string what, uint alert, Func<MutualTlsClientOptions, MutualTlsClientOptions> options, string? hint) =>
            new TestCaseData(0x0A000000u + 1000 + alert, options, hint).SetArgDisplayNames(what);

        yield return Case("no application protocol", 120, usual => usual, "Confirmation = ConfirmationPolicy.Never");
        yield return Case("no application protocol, the other way", 120, usual => usual, "ApplicationProtocols = [\"http/1.1\"]");
        yield return Case("only TLS 1.3", 40, usual => usual with { MinimumTlsVersion = TlsVersion.Tls13 }, "set MinimumTlsVersion to TLS 1.2");
        yield return Case("both versions", 40, usual => usual, "Compare cipher suites");
        yield return Case(
            "suites of TLS 1.2 alone",
            40,
            usual => usual with { CipherSuites = [TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384] },
            "names none of TLS 1.3");
        yield return Case("no certificate, with an identity", 116, usual => usual, "keys of our kind");
        yield return Case("no certificate, in the words of SSL 3.0", 41, usual => usual, "keys of our kind");
        yield return Case("no certificate, without an identity", 116, usual => usual with { Identity = ClientIdentity.None }, "ClientIdentity.None");
        yield return Case("an unknown authority", 48, usual => usual, null);
    }

    [TestCaseSource(nameof(Hints))]
    public void What_a_server_says_leads_to_what_to_do(uint code, Func<MutualTlsClientOptions, MutualTlsClientOptions> options, string? hint)
    {
        using var world = new World();
        using var transport = new HandshakeTransport(Stream.Null, 1000);
        var thrown = new AuthenticationException("outer", new CryptographicException("inner") { HResult = unchecked((int)code) });

        var outcome = TlsFaults.ToOutcome(thrown, transport, PeerRole.Client, options(world.ClientOptions));

        (outcome.Rejection.Hint?.Contains(hint ?? "?", StringComparison.Ordinal)).Should().Be(hint is null ? null : true, outcome.Message);
    }

    [TestCase(120, PeerRole.Client, Handshake, RejectionReason.AlpnMismatch, PublicReason.NoApplicationProtocol, "ApplicationProtocols")]
    [TestCase(120, PeerRole.Server, Handshake, RejectionReason.AlpnMismatch, PublicReason.NoApplicationProtocol, "ApplicationProtocols")]
    [TestCase(70, PeerRole.Client, Alert, RejectionReason.ProtocolVersionUnsupported, PublicReason.ProtocolVersion, null)]
    [TestCase(112, PeerRole.Client, Handshake, RejectionReason.UnrecognizedServerName, PublicReason.UnrecognizedName, "other names")]
    [TestCase(40, PeerRole.Client, Alert, RejectionReason.NoCommonCipherSuite, PublicReason.Refused, null)]
    [TestCase(40, PeerRole.Client, Nothing, RejectionReason.NoCommonCipherSuite, PublicReason.Refused, null)]
    [TestCase(71, PeerRole.Client, Alert, RejectionReason.NoCommonCipherSuite, PublicReason.Refused, null)]
    public void An_alert_that_speaks_of_the_offer_is_no_agreement(
        int alert, PeerRole ourRole, string first, RejectionReason reason, PublicReason says, string? hint)
    {
        var outcome = OfAlert(alert, ourRole, first);

        (outcome.Failure, outcome.Reason, outcome.PeerReason).Should().Be((HandshakeFailure.NoAgreement, reason, (PublicReason?)says));
        outcome.Rejection.Presented.Should().Contain($"{alert}");
        if (hint is null)
        {
            outcome.Rejection.Hint.Should().BeNull();
        }
        else
        {
            outcome.Rejection.Hint.Should().Contain(hint);
        }
    }

    [TestCase(40, PeerRole.Client, Handshake, PublicReason.Refused)]
    [TestCase(71, PeerRole.Client, Handshake, PublicReason.Refused)]
    [TestCase(40, PeerRole.Server, Alert, PublicReason.Refused)]
    [TestCase(71, PeerRole.Server, Alert, PublicReason.Refused)]
    [TestCase(48, PeerRole.Client, Alert, PublicReason.UnknownCa)]
    [TestCase(42, PeerRole.Server, Handshake, PublicReason.BadCertificate)]
    public void Any_other_alert_is_the_peers_refusal(int alert, PeerRole ourRole, string first, PublicReason says)
    {
        var outcome = OfAlert(alert, ourRole, first);

        (outcome.Failure, outcome.Reason, outcome.PeerReason)
            .Should().Be((HandshakeFailure.RefusedByPeer, RejectionReason.RefusedByPeer, (PublicReason?)says));
        outcome.Rejection.Presented.Should().Contain($"{alert}");
    }

    [TestCase(152, HandshakeFailure.PeerMisbehaved, RejectionReason.HandshakeMessageTooLarge, null)]
    [TestCase(193, HandshakeFailure.NoAgreement, RejectionReason.NoCommonCipherSuite, null)]
    [TestCase(118, HandshakeFailure.NoAgreement, RejectionReason.NoCommonCipherSuite, null)]
    [TestCase(410, HandshakeFailure.NoAgreement, RejectionReason.NoCommonCipherSuite, null)]
    [TestCase(258, HandshakeFailure.NoAgreement, RejectionReason.ProtocolVersionUnsupported, null)]
    [TestCase(266, HandshakeFailure.NoAgreement, RejectionReason.ProtocolVersionUnsupported, null)]
    [TestCase(235, HandshakeFailure.NoAgreement, RejectionReason.AlpnMismatch, "ApplicationProtocols")]
    [TestCase(0x80006, HandshakeFailure.OurFault, RejectionReason.CryptographyFailed, "token")]
    [TestCase(397, HandshakeFailure.OurFault, RejectionReason.CryptographyFailed, "2048 bits")]
    [TestCase(398, HandshakeFailure.OurFault, RejectionReason.CryptographyFailed, "2048 bits")]
    [TestCase(399, HandshakeFailure.OurFault, RejectionReason.CryptographyFailed, "2048 bits")]
    [TestCase(100, HandshakeFailure.PeerMisbehaved, RejectionReason.TlsProtocolViolation, null)]
    public void An_error_of_the_engine_is_somebodys(int error, HandshakeFailure failure, RejectionReason reason, string? hint)
    {
        using var transport = Transport(Handshake);

        var outcome = TlsFaults.ToOutcome(Engine((20 << 23) | error), transport, PeerRole.Client);

        (outcome.Failure, outcome.Reason).Should().Be((failure, reason));
        outcome.Rejection.Presented.Should().Contain("inner", "the engine's own words");
        outcome.PeerReason.Should().BeNull();
        (outcome.Rejection.Hint is null).Should().Be(hint is null);
        if (hint is not null)
        {
            outcome.Rejection.Hint.Should().Contain(hint);
        }
    }

    private static IEnumerable<TestCaseData> Exceptions()
    {
        static TestCaseData Case(Exception exception, HandshakeFailure failure, RejectionReason reason, string presented) =>
            new TestCaseData(exception, failure, reason, presented).SetArgDisplayNames($"{exception.GetType().Name}, {presented}");

        yield return Case(
            new IOException("x", new SocketException((int)SocketError.ConnectionReset)),
            HandshakeFailure.TransportLost,
            RejectionReason.TransportFailed,
            "ConnectionReset");
        Exception[] lost =
        [
            new IOException("x"), new ObjectDisposedException("x"), new SocketException((int)SocketError.ConnectionReset),
            new IOException("x", new IOException("y")),
        ];
        foreach (var exception in lost)
        {
            yield return Case(exception, HandshakeFailure.TransportLost, RejectionReason.TransportClosed, "the end of the stream");
        }

        yield return Case(
            new CryptographicException("x"), HandshakeFailure.PeerRejected, RejectionReason.CertificateMalformed, "ones that it cannot");
        yield return Case(
            new AuthenticationException("its words"), HandshakeFailure.PeerMisbehaved, RejectionReason.TlsProtocolViolation, "its words");
        yield return Case(
            new InvalidOperationException("x"), HandshakeFailure.PeerMisbehaved, RejectionReason.TlsProtocolViolation, "InvalidOperationException");
    }

    [TestCaseSource(nameof(Exceptions))]
    public void Whatever_is_thrown_has_a_meaning(Exception exception, HandshakeFailure failure, RejectionReason reason, string presented)
    {
        using var transport = Transport(Handshake);

        var outcome = TlsFaults.ToOutcome(exception, transport, PeerRole.Client);

        (outcome.Failure, outcome.Reason).Should().Be((failure, reason));
        outcome.Rejection.Presented.Should().Contain(presented);
        outcome.InnerException.Should().BeSameAs(exception);
    }

    [Test]
    public void A_server_that_answers_in_the_clear_is_known_by_its_first_octets_and_a_client_is_judged_by_its_hello([Values] PeerRole ourRole)
    {
        using var transport = Transport(Convert.ToHexString("HTTP/1.1 400"u8));

        var outcome = TlsFaults.ToOutcome(new AuthenticationException("x"), transport, ourRole);

        outcome.Reason.Should().Be(ourRole == PeerRole.Client ? RejectionReason.PlainHttp : RejectionReason.TlsProtocolViolation);
        outcome.Failure.Should().Be(ourRole == PeerRole.Client ? HandshakeFailure.NoAgreement : HandshakeFailure.PeerMisbehaved);
    }

    [Test]
    public void More_octets_than_the_bound_say_more_than_what_they_led_to()
    {
        using var transport = new HandshakeTransport(new MemoryStream(new byte[21]), 20);
        transport.Invoking(each => each.Read(new byte[30], 0, 30)).Should().Throw<IOException>();

        var outcome = TlsFaults.ToOutcome(Engine((20 << 23) | 1048), transport, PeerRole.Client);

        (outcome.Failure, outcome.Reason).Should().Be((HandshakeFailure.PeerMisbehaved, RejectionReason.HandshakeMessageTooLarge));
        outcome.Rejection.Presented.Should().Be("more than 20 bytes");
    }

    [TestCase(RejectionReason.ValidatorFaulted, HandshakeFailure.OurFault)]
    [TestCase(RejectionReason.Overloaded, HandshakeFailure.NoCapacity)]
    [TestCase(RejectionReason.NoClientHello, HandshakeFailure.TransportLost)]
    [TestCase(RejectionReason.IncompleteClientHello, HandshakeFailure.TransportLost)]
    [TestCase(RejectionReason.MalformedClientHello, HandshakeFailure.PeerMisbehaved)]
    [TestCase(RejectionReason.ClientHelloTooLarge, HandshakeFailure.PeerMisbehaved)]
    [TestCase(RejectionReason.NoCommonCipherSuite, HandshakeFailure.NoAgreement)]
    [TestCase(RejectionReason.PlainHttp, HandshakeFailure.NoAgreement)]
    public void A_hello_that_is_refused_has_an_outcome_by_its_reason(RejectionReason reason, HandshakeFailure failure) =>
        HelloNegotiation.FailureOf(new Rejection(reason, "x", "y")).Should().Be(failure);

    private static HandshakeException OfAlert(int alert, PeerRole ourRole, string first)
    {
        using var transport = Transport(first);
        return TlsFaults.ToOutcome(Engine((20 << 23) | (1000 + alert)), transport, ourRole);
    }

    private static AuthenticationException Engine(int code) => new("outer", new CryptographicException("inner") { HResult = code });

    /// <summary>A transport from which these octets have come.</summary>
    private static HandshakeTransport Transport(string first)
    {
        var octets = Convert.FromHexString(first);
        var transport = new HandshakeTransport(new MemoryStream(octets), 1000);
        if (octets.Length > 0)
        {
            transport.Read(new byte[100], 0, 100).Should().Be(octets.Length);
        }

        return transport;
    }
}
