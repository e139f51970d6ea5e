namespace MutualAuth.Confirmation;

/// <summary>
/// The public reason for each of our rejection reasons. Coarse: it tells the holder of a certificate what to fix, and an attacker nothing
/// about our rules.
/// </summary>
internal static class PublicReasonTable
{
    /// <summary>The reason that a server sends to a client. A client that rejects a server always sends <see cref="PublicReason.Refused"/>.</summary>
    internal static PublicReason ForClient(RejectionReason reason) => reason switch
    {
        RejectionReason.NoCertificate => PublicReason.CertificateRequired,
        RejectionReason.CertificateMalformed or RejectionReason.CertificateTooLarge or RejectionReason.TooManyCertificates
            or RejectionReason.SignatureInvalid or RejectionReason.ProfileViolated => PublicReason.BadCertificate,
        RejectionReason.UnknownAuthority or RejectionReason.IssuerNotAuthority or RejectionReason.PathTooLong
            or RejectionReason.NameConstraintViolated => PublicReason.UnknownCa,
        RejectionReason.CertificateExpired or RejectionReason.CertificateNotYetValid => PublicReason.CertificateExpired,
        RejectionReason.CertificateRevoked => PublicReason.CertificateRevoked,
        RejectionReason.WrongUsage or RejectionReason.CertificateAuthorityAsLeaf or RejectionReason.UnknownCriticalExtension
            or RejectionReason.WeakKey or RejectionReason.WeakSignature or RejectionReason.AlgorithmNotSupported
            or RejectionReason.AlgorithmNotPermitted =>
                PublicReason.UnsupportedCertificate,
        RejectionReason.PolicyRequired or RejectionReason.BudgetExceeded or RejectionReason.RevocationStatusUnknown
            or RejectionReason.NotAnSvid or RejectionReason.PeerKeyChanged => PublicReason.CertificateUnknown,
        RejectionReason.DenyListed or RejectionReason.ServerNameMismatch or RejectionReason.WildcardRefused or RejectionReason.PinMismatch
            or RejectionReason.PinsExpired or RejectionReason.NotAuthorized or RejectionReason.ValidatorRefused
            or RejectionReason.QcStatementsMalformed or RejectionReason.QcStatementMissing or RejectionReason.CompetentAuthorityMismatch
            or RejectionReason.PeerNotVerified => PublicReason.AccessDenied,
        RejectionReason.ValidatorFaulted or RejectionReason.PeerNotRemembered or RejectionReason.SourceFaulted
            or RejectionReason.AuditNotRecorded => PublicReason.InternalError,
        RejectionReason.ValidatorTimedOut or RejectionReason.ValidatorOverloaded or RejectionReason.Overloaded
            or RejectionReason.FactsExpired or RejectionReason.TooManySessions
            or RejectionReason.ListenerStopped => PublicReason.TryAgainLater,
        RejectionReason.ConfirmationMalformed or RejectionReason.ConfirmationTruncated
            or RejectionReason.TlsProtocolViolation or RejectionReason.MalformedClientHello => PublicReason.ProtocolError,
        RejectionReason.CredentialsRequired => PublicReason.CredentialsRequired,
        RejectionReason.CredentialsWrong or RejectionReason.IterationCountOutOfRange or RejectionReason.TokenInvalid
            or RejectionReason.TokenNotBoundToCertificate or RejectionReason.SecondFactorMissing or RejectionReason.SecondFactorWrong
            or RejectionReason.SecondFactorReused or RejectionReason.AnotherUser
            or RejectionReason.OneTimeCodeTooEarly or RejectionReason.OneTimeCodeTooLate or RejectionReason.PasskeyUserNotVerified
            or RejectionReason.PasskeyInvalid or RejectionReason.PasskeyChallengeMismatch or RejectionReason.PasskeyCounterNotRisen
            or RejectionReason.TokenNoLongerValid or RejectionReason.TokenNotYetValid
            or RejectionReason.TokenAudienceWrong or RejectionReason.TokenIssuerWrong or RejectionReason.TokenKeyUnknown
            or RejectionReason.TokenSignatureWrong or RejectionReason.TokenTypeWrong or RejectionReason.TokenScopeMissing
            or RejectionReason.TokenNotActive or RejectionReason.AccountLocked or RejectionReason.PasswordExpired
            or RejectionReason.TicketRefused or RejectionReason.RealmNotAccepted
            or RejectionReason.ReconnectCredentialInvalid or RejectionReason.ReconnectCredentialNotBound
            or RejectionReason.ReconnectCredentialForAnotherServer
            or RejectionReason.ReconnectCredentialNoLongerValid => PublicReason.CredentialsWrong,
        RejectionReason.MechanismUnavailable or RejectionReason.ChannelBindingUnavailable => PublicReason.MechanismUnavailable,
        RejectionReason.ChannelBindingMismatch or RejectionReason.ChannelBindingDowngraded => PublicReason.ChannelBindingRefused,
        RejectionReason.AuthorizationIdentityRefused or RejectionReason.UserNotAllowed or RejectionReason.StepUpMismatch => PublicReason.AccessDenied,
        RejectionReason.AttemptsLimited or RejectionReason.CredentialCheckOverloaded or RejectionReason.StepUpTimedOut
            or RejectionReason.TokenIssuerUnavailable or RejectionReason.DirectoryUnavailable => PublicReason.TryAgainLater,
        RejectionReason.CredentialCheckFaulted or RejectionReason.SecondFactorKeyUnavailable or RejectionReason.SecondFactorNotAuthentic
            or RejectionReason.SecondFactorNotEncrypted => PublicReason.InternalError,
        RejectionReason.CredentialProtocolViolated => PublicReason.ProtocolError,
        _ => PublicReason.Refused,
    };
}
