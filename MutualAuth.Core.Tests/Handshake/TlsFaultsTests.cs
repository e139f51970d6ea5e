using System.Security.Authentication;
using System.Security.Cryptography;
using MutualAuth.Handshake;
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
}
