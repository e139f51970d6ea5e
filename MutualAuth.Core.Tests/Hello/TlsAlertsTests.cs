using System.Security.Authentication;
using MutualAuth.Hello;

namespace MutualAuth.Tests.Hello;

/// <summary>What the TLS engine's exceptions hold, and what an alert of the peer's says about us.</summary>
public sealed class TlsAlertsTests
{
    [TestCase(0x0A0003E8u, 0, null)]
    [TestCase(0x0A000410u, 40, null)]
    [TestCase(0x0A0004E7u, 255, null)]
    [TestCase(0x0A0004E8u, null, 1256)]
    [TestCase(0x0A0003E7u, null, 999)]
    [TestCase(0x0A0000C1u, null, 193)]
    [TestCase(0x0A080006u, null, 0x80006)]
    [TestCase(0x0A800410u, null, null)]
    [TestCase(0x09800410u, null, null)]
    [TestCase(0x80131500u, null, null)]
    public void An_alert_is_a_reason_of_the_TLS_library_from_1000_to_1255(uint code, int? received, int? localError)
    {
        var exception = new AuthenticationException("outer", new IOException("middle", new IOException("inner", unchecked((int)code))));

        TlsAlerts.Find(exception).Should().Be((received, localError));
        TlsAlerts.Find(exception.InnerException!.InnerException!).Should().Be((received, localError));
        TlsAlerts.FindPublicReason(exception).Should().Be(received is { } alert ? TlsAlerts.ToPublicReason(alert) : null);
    }

    [Test]
    public void Without_an_exception_there_is_no_reason() => TlsAlerts.FindPublicReason(null).Should().BeNull();

    [TestCase(10, PublicReason.ProtocolError)]
    [TestCase(20, PublicReason.ProtocolError)]
    [TestCase(22, PublicReason.ProtocolError)]
    [TestCase(40, PublicReason.Refused)]
    [TestCase(41, PublicReason.CertificateRequired)]
    [TestCase(42, PublicReason.BadCertificate)]
    [TestCase(43, PublicReason.UnsupportedCertificate)]
    [TestCase(44, PublicReason.CertificateRevoked)]
    [TestCase(45, PublicReason.CertificateExpired)]
    [TestCase(46, PublicReason.CertificateUnknown)]
    [TestCase(47, PublicReason.ProtocolError)]
    [TestCase(48, PublicReason.UnknownCa)]
    [TestCase(49, PublicReason.AccessDenied)]
    [TestCase(50, PublicReason.ProtocolError)]
    [TestCase(51, PublicReason.BadCertificate)]
    [TestCase(70, PublicReason.ProtocolVersion)]
    [TestCase(80, PublicReason.InternalError)]
    [TestCase(109, PublicReason.ProtocolError)]
    [TestCase(110, PublicReason.ProtocolError)]
    [TestCase(112, PublicReason.UnrecognizedName)]
    [TestCase(113, PublicReason.CertificateUnknown)]
    [TestCase(114, PublicReason.CertificateUnknown)]
    [TestCase(116, PublicReason.CertificateRequired)]
    [TestCase(120, PublicReason.NoApplicationProtocol)]
    [TestCase(0, PublicReason.Refused)]
    [TestCase(90, PublicReason.Refused)]
    [TestCase(111, PublicReason.Refused)]
    [TestCase(255, PublicReason.Refused)]
    [TestCase(256, PublicReason.Refused, TestName = "{m}: what only our own verdicts say is no alert's")]
    public void Each_alert_has_one_public_reason(int alert, PublicReason reason) => TlsAlerts.ToPublicReason(alert).Should().Be(reason);

    [Test]
    public void An_alert_in_the_clear_is_fatal_and_one_record() => TlsAlerts.ToRecord(112).Should().Equal(21, 3, 3, 0, 2, 2, 112);
}
