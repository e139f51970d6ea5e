using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using MutualAuth.Handshake;
using MutualAuth.Tests.Support;
using MutualAuth.Transport;

namespace MutualAuth.Tests.Handshake;

public sealed class TlsFaultsTests
{
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
}
