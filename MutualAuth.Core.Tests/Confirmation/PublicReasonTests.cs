using MutualAuth.Confirmation;

namespace MutualAuth.Tests.Confirmation;

/// <summary>How much a rejected client learns: what it can mend, and nothing of our rules.</summary>
public sealed class PublicReasonTests
{
    [TestCase(RejectionReason.NoCertificate, PublicReason.CertificateRequired)]
    [TestCase(RejectionReason.SignatureInvalid, PublicReason.BadCertificate)]
    [TestCase(RejectionReason.UnknownAuthority, PublicReason.UnknownCa)]
    [TestCase(RejectionReason.CertificateNotYetValid, PublicReason.CertificateExpired)]
    [TestCase(RejectionReason.CertificateRevoked, PublicReason.CertificateRevoked)]
    [TestCase(RejectionReason.WeakKey, PublicReason.UnsupportedCertificate)]
    [TestCase(RejectionReason.RevocationStatusUnknown, PublicReason.CertificateUnknown)]
    [TestCase(RejectionReason.NotAuthorized, PublicReason.AccessDenied)]
    [TestCase(RejectionReason.ValidatorFaulted, PublicReason.InternalError)]
    [TestCase(RejectionReason.ValidatorTimedOut, PublicReason.TryAgainLater)]
    [TestCase(RejectionReason.ConfirmationMalformed, PublicReason.ProtocolError)]
    [TestCase(RejectionReason.CredentialsRequired, PublicReason.CredentialsRequired)]
    [TestCase(RejectionReason.CredentialsWrong, PublicReason.CredentialsWrong)]
    [TestCase(RejectionReason.MechanismUnavailable, PublicReason.MechanismUnavailable)]
    [TestCase(RejectionReason.ChannelBindingDowngraded, PublicReason.ChannelBindingRefused)]
    [TestCase(RejectionReason.UserNotAllowed, PublicReason.AccessDenied)]
    [TestCase(RejectionReason.AttemptsLimited, PublicReason.TryAgainLater)]
    [TestCase(RejectionReason.CredentialCheckFaulted, PublicReason.InternalError)]
    [TestCase(RejectionReason.CredentialProtocolViolated, PublicReason.ProtocolError)]
    [TestCase(RejectionReason.MaximumAgeReached, PublicReason.Refused)]
    public void A_client_is_told(RejectionReason reason, PublicReason told) => PublicReasonTable.ForClient(reason).Should().Be(told);
}
