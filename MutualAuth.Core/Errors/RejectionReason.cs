using System.Collections.Frozen;
using System.Text;

namespace MutualAuth;

/// <summary>The reason why a handshake failed, or a connection was ended early.</summary>
/// <remarks>
/// Names and numbers are stable and never reused: they appear in logs, metrics, exit lines and tests. The stable text
/// form is <see cref="RejectionReasons.ToCode"/>. Every member has a row in <c>docs/reference/rejections.md</c>.
/// </remarks>
public enum RejectionReason
{
    // 100: the transport and the first bytes.

    /// <summary>No connection could be made: the name did not resolve, or no address answered.</summary>
    Unreachable = 100,

    /// <summary>The peer sent nothing before the deadline.</summary>
    NoClientHello = 101,

    /// <summary>The peer began a ClientHello and did not finish it: it closed, or the deadline passed.</summary>
    IncompleteClientHello = 102,

    /// <summary>The ClientHello, or the records that carry it, break RFC 8446 §4.1.2 / RFC 5246 §7.4.1.2.</summary>
    MalformedClientHello = 103,

    /// <summary>The ClientHello is larger than the configured bound.</summary>
    ClientHelloTooLarge = 104,

    /// <summary>The peer speaks HTTP without TLS.</summary>
    PlainHttp = 105,

    /// <summary>The peer speaks SSH.</summary>
    PlainSsh = 106,

    /// <summary>The first bytes are not TLS, nor a protocol that the library recognises.</summary>
    NotTls = 107,

    /// <summary>The peer closed the transport during the handshake.</summary>
    TransportClosed = 108,

    /// <summary>The transport failed or was reset during the handshake.</summary>
    TransportFailed = 109,

    /// <summary>The handshake began and was not complete at the deadline.</summary>
    HandshakeTimedOut = 110,

    /// <summary>No handshake slot became free: the server is at its configured limit and its queue is full.</summary>
    Overloaded = 111,

    /// <summary>A newer socket evicted this one before its ClientHello was complete.</summary>
    EvictedBeforeHello = 112,

    /// <summary>The listener was stopped while the handshake ran.</summary>
    ListenerStopped = 113,

    /// <summary>
    /// The socket or stream from the application cannot carry a handshake: not connected, not a stream of octets, non-blocking, or closed.
    /// </summary>
    TransportUnusable = 114,

    /// <summary>A connection from a trusted proxy did not begin with a PROXY protocol header.</summary>
    ProxyHeaderMissing = 115,

    /// <summary>A trusted proxy sent a PROXY protocol header that is malformed, of an unknown version, or too long.</summary>
    ProxyHeaderMalformed = 116,

    /// <summary>A trusted proxy began a PROXY protocol header and did not finish it: it closed, or the deadline passed.</summary>
    ProxyHeaderIncomplete = 117,

    // 200: TLS.

    /// <summary>The peer offers, or chose, no TLS version that we allow.</summary>
    ProtocolVersionUnsupported = 200,

    /// <summary>The two sides share no cipher suite, group or signature algorithm.</summary>
    NoCommonCipherSuite = 201,

    /// <summary>The two sides share no application protocol (RFC 7301).</summary>
    AlpnMismatch = 202,

    /// <summary>A handshake message, usually the certificate list, is larger than TLS accepts.</summary>
    HandshakeMessageTooLarge = 203,

    /// <summary>The peer broke the TLS protocol.</summary>
    TlsProtocolViolation = 204,

    /// <summary>No configuration serves the name that the client asked for (RFC 6066 §3).</summary>
    UnrecognizedServerName = 205,

    /// <summary>The peer rejected us; its public reason is in <see cref="HandshakeException.PeerReason"/>.</summary>
    RefusedByPeer = 206,

    /// <summary>The platform's cryptography failed in the handshake: usually because the token with our key is missing or locked.</summary>
    CryptographyFailed = 207,

    /// <summary>One of our sources (identity, trust, selection, clock) threw during the handshake. The peer is not at fault.</summary>
    SourceFaulted = 208,

    /// <summary>A server without confirmation did not request our certificate, so that it cannot know who the client is.</summary>
    ServerAskedForNoCertificate = 209,

    /// <summary>The peer offers, or chose, no key exchange that we allow.</summary>
    KeyExchangeNotAllowed = 210,

    // 300: the certificates themselves.

    /// <summary>The peer presented no certificate.</summary>
    NoCertificate = 300,

    /// <summary>A certificate is not the DER encoding that RFC 5280 describes.</summary>
    CertificateMalformed = 301,

    /// <summary>A certificate is larger than the configured bound.</summary>
    CertificateTooLarge = 302,

    /// <summary>The peer sent more certificates than the configured bound.</summary>
    TooManyCertificates = 303,

    /// <summary>No path leads from the certificate to a trust anchor.</summary>
    UnknownAuthority = 304,

    /// <summary>A certificate's signature does not verify with its issuer's key.</summary>
    SignatureInvalid = 305,

    /// <summary>A certificate has expired.</summary>
    CertificateExpired = 306,

    /// <summary>A certificate is not valid yet.</summary>
    CertificateNotYetValid = 307,

    /// <summary>The certificate may not be used in the role that the peer plays (RFC 5280 §4.2.1.3, §4.2.1.12).</summary>
    WrongUsage = 308,

    /// <summary>A certification authority's certificate was presented as an end entity's.</summary>
    CertificateAuthorityAsLeaf = 309,

    /// <summary>An issuing certificate is not a certification authority's (RFC 5280 §4.2.1.9, §4.2.1.3).</summary>
    IssuerNotAuthority = 310,

    /// <summary>The path is longer than an authority, or the configured depth, allows.</summary>
    PathTooLong = 311,

    /// <summary>A name lies outside what an authority may certify (RFC 5280 §4.2.1.10).</summary>
    NameConstraintViolated = 312,

    /// <summary>A critical extension is not supported, so that the certificate must be rejected (RFC 5280 §4.2).</summary>
    UnknownCriticalExtension = 313,

    /// <summary>A key is too short, its values are invalid, or its encoding is not allowed.</summary>
    WeakKey = 314,

    /// <summary>A signature algorithm is too weak.</summary>
    WeakSignature = 315,

    /// <summary>No acceptable certificate policy covers the whole path (RFC 5280 §6.1, RFC 9618).</summary>
    PolicyRequired = 316,

    /// <summary>A certificate breaks a rule of the validation profile in force.</summary>
    ProfileViolated = 317,

    /// <summary>Validation of the peer's certificates would exceed the work budget.</summary>
    BudgetExceeded = 318,

    /// <summary>
    /// A key or a signature is of an algorithm that is not supported here, however strong it may be: Ed25519, brainpool, ML-DSA where the platform
    /// has none.
    /// </summary>
    AlgorithmNotSupported = 319,

    // 330: revocation.

    /// <summary>A certificate has been revoked by its issuer.</summary>
    CertificateRevoked = 330,

    /// <summary>Revocation is required, and no current, valid statement covers a certificate.</summary>
    RevocationStatusUnknown = 331,

    /// <summary>A certificate or its key is on the operator's deny list.</summary>
    DenyListed = 332,

    // 350: names, pins and authorization.

    /// <summary>No subject alternative name of the certificate is the name that was dialled (RFC 9525).</summary>
    ServerNameMismatch = 350,

    /// <summary>No key on the verified path is pinned.</summary>
    PinMismatch = 351,

    /// <summary>The set of pins has expired, so that no key can match it.</summary>
    PinsExpired = 352,

    /// <summary>The certificate is not a valid X.509-SVID: it does not contain exactly one URI name that is a SPIFFE ID.</summary>
    NotAnSvid = 353,

    /// <summary>The peer is authenticated, and no authorization rule accepts it.</summary>
    NotAuthorized = 354,

    /// <summary>A known peer presented a key other than the stored one (trust on first use).</summary>
    PeerKeyChanged = 355,

    /// <summary>The key of a new peer could not be stored: the store failed or is full.</summary>
    PeerNotRemembered = 356,

    /// <summary>The certificate covers the name that was dialled by a wildcard only, and wildcards are refused.</summary>
    WildcardRefused = 357,

    // 360: algorithms that are prescribed.

    /// <summary>A key or a signature is strong enough, and not among the algorithms that the profile prescribes, such as CNSA 2.0.</summary>
    AlgorithmNotPermitted = 360,

    // 370: statements of qualified certificates.

    /// <summary>The statements of a qualified certificate are demanded, and cannot be read (RFC 3739 §3.2.6).</summary>
    QcStatementsMalformed = 370,

    /// <summary>The certificate does not state what is demanded: that it is qualified, its type, or a role of a payment service provider.</summary>
    QcStatementMissing = 371,

    /// <summary>
    /// The subject of a payment service provider and its statements name different competent authorities, or the subject names none (ETSI TS 119
    /// 495).
    /// </summary>
    CompetentAuthorityMismatch = 372,

    // 380: what people have compared.

    /// <summary>The peer is known, and no one has compared its key over another channel, which the rule demands.</summary>
    PeerNotVerified = 380,

    // 400: validators.

    /// <summary>A validator threw; a peer that cannot be validated is rejected.</summary>
    ValidatorFaulted = 400,

    /// <summary>An asynchronous validator had not answered at its deadline.</summary>
    ValidatorTimedOut = 401,

    /// <summary>A validator of the application rejected the peer.</summary>
    ValidatorRefused = 402,

    /// <summary>The maximum number of concurrent asynchronous validations was reached, and no slot became free.</summary>
    ValidatorOverloaded = 403,

    /// <summary>
    /// The authentication could not be recorded for the auditor, within its time or at all; a peer that is not recorded is not accepted.
    /// </summary>
    AuditNotRecorded = 404,

    /// <summary>
    /// The yes of a validator that counts for a time was over, and there was no new one (<see cref="Validation.IPeerFactValidator"/>).
    /// </summary>
    FactsExpired = 405,

    // 500: the confirmation protocol.

    /// <summary>Confirmation is required, and the peer does not support it.</summary>
    ConfirmationUnavailable = 500,

    /// <summary>A confirmation frame is malformed, too long, of an unknown type or out of order.</summary>
    ConfirmationMalformed = 501,

    /// <summary>The peer closed or reset the connection before its verdict was complete.</summary>
    ConfirmationTruncated = 502,

    // 600: credentials.

    /// <summary>The server requires a user, and the client did not log in.</summary>
    CredentialsRequired = 600,

    /// <summary>The credentials are not valid for the user name: no such user, a wrong password, or a disabled user.</summary>
    CredentialsWrong = 601,

    /// <summary>The two sides share no SASL mechanism that both allow here.</summary>
    MechanismUnavailable = 602,

    /// <summary>The peer bound its credentials to another channel: there is a man in the middle.</summary>
    ChannelBindingMismatch = 603,

    /// <summary>Channel binding is required but not available: the certificate has no hash for it, or the peer offers no mechanism with it.</summary>
    ChannelBindingUnavailable = 604,

    /// <summary>The client believes that we offer no channel binding, although we do: an attacker removed it from the list (RFC 5802 §6).</summary>
    ChannelBindingDowngraded = 605,

    /// <summary>The server did not prove that it knows the user's verifier (RFC 5802 §3).</summary>
    ServerSignatureWrong = 606,

    /// <summary>A SCRAM iteration count lies outside the configured bounds; no key was derived with it.</summary>
    IterationCountOutOfRange = 607,

    /// <summary>The user requested another authorization identity, and no rule grants it.</summary>
    AuthorizationIdentityRefused = 608,

    /// <summary>Too many attempts for this user, or from this address.</summary>
    AttemptsLimited = 609,

    /// <summary>The maximum number of running and waiting key derivations was reached.</summary>
    CredentialCheckOverloaded = 610,

    /// <summary>The credential store, the token validator or a mechanism threw; a user who cannot be checked is rejected.</summary>
    CredentialCheckFaulted = 611,

    /// <summary>The token is not valid.</summary>
    TokenInvalid = 612,

    /// <summary>The token is bound to another certificate, or to none although that is required (RFC 8705 §3).</summary>
    TokenNotBoundToCertificate = 613,

    /// <summary>A SASL message is malformed, too long, or out of order.</summary>
    CredentialProtocolViolated = 614,

    /// <summary>The user may not log in with this certificate, or not here.</summary>
    UserNotAllowed = 615,

    /// <summary>The client has credentials, and the server does not offer a login.</summary>
    CredentialsNotAsked = 616,

    /// <summary>The parties to a step-up do not agree on the transaction, or it is not this connection's user who confirms it.</summary>
    StepUpMismatch = 617,

    /// <summary>A server sent fewer SCRAM iterations than it sent to this client before (RFC 5802 §9); no key was derived with them.</summary>
    IterationCountLowered = 618,

    // 620: several exchanges and factors.

    /// <summary>The user lacks a factor that is required here, or none of those that would do can be offered on this connection.</summary>
    SecondFactorMissing = 620,

    /// <summary>The server asks for a further factor, and the client has none that the server offers.</summary>
    SecondFactorUnavailable = 621,

    /// <summary>A second factor is wrong: another code, a signature of a key that is not registered.</summary>
    SecondFactorWrong = 622,

    /// <summary>A one-time code that was used before: it was right, and is worth nothing any more.</summary>
    SecondFactorReused = 623,

    /// <summary>A further exchange of a login is that of another user than the first.</summary>
    AnotherUser = 624,

    /// <summary>A step-up or a re-authentication was not over in time.</summary>
    StepUpTimedOut = 625,

    /// <summary>A re-authentication was right, but the connection is over, or ends for a reason that it does not remove.</summary>
    ReauthenticationTooLate = 626,

    /// <summary>The user or the device has as many sessions as it may have.</summary>
    TooManySessions = 628,

    // 630: one-time codes and passkeys.

    /// <summary>The one-time code is one of the user's that is not valid yet: a clock is wrong.</summary>
    OneTimeCodeTooEarly = 630,

    /// <summary>The one-time code is one of the user's that is not valid any more: it came late, or a clock is wrong.</summary>
    OneTimeCodeTooLate = 631,

    /// <summary>The authenticator did not verify the person, and the server requires that.</summary>
    PasskeyUserNotVerified = 632,

    /// <summary>The passkey is not the user's, or what it signed is not in order: signature, relying party, origin, or form.</summary>
    PasskeyInvalid = 633,

    /// <summary>The passkey signed a challenge of another connection or another server: it was relayed or replayed.</summary>
    PasskeyChallengeMismatch = 634,

    /// <summary>The passkey's counter did not rise: there may be a copy of the authenticator (WebAuthn Level 2 §7.2).</summary>
    PasskeyCounterNotRisen = 635,

    /// <summary>A second factor is stored encrypted, and its key cannot be had. No guess was judged.</summary>
    SecondFactorKeyUnavailable = 636,

    /// <summary>
    /// What is stored as a second factor was altered, or belongs to another user or factor, or is under another key. No guess was judged.
    /// </summary>
    SecondFactorNotAuthentic = 637,

    /// <summary>A second factor is stored in plain text, and the server demands that it is encrypted. No guess was judged.</summary>
    SecondFactorNotEncrypted = 638,

    // 640: what is wrong with a token, where TokenInvalid is too coarse.

    /// <summary>The token has expired, or is older than tokens may be here.</summary>
    TokenNoLongerValid = 640,

    /// <summary>The token is not valid yet: its issuer's clock is ahead of ours.</summary>
    TokenNotYetValid = 641,

    /// <summary>The token is for another service.</summary>
    TokenAudienceWrong = 642,

    /// <summary>The token names another issuer.</summary>
    TokenIssuerWrong = 643,

    /// <summary>The issuer's key set has no key that could have signed the token.</summary>
    TokenKeyUnknown = 644,

    /// <summary>The token's signature is not that of the issuer's key, or of an algorithm that is not accepted.</summary>
    TokenSignatureWrong = 645,

    /// <summary>The token is of another type than an access token (RFC 9068 §4).</summary>
    TokenTypeWrong = 646,

    /// <summary>The token is genuine and lacks a scope or a role that is required.</summary>
    TokenScopeMissing = 647,

    /// <summary>The issuer says that the token is not active: revoked, expired or unknown (RFC 7662 §2.2).</summary>
    TokenNotActive = 648,

    /// <summary>The issuer's keys, or its answer about the token, cannot be had now; no client is accepted without.</summary>
    TokenIssuerUnavailable = 649,

    // 650: directories and Kerberos.

    /// <summary>The directory says that the account is locked or disabled.</summary>
    AccountLocked = 650,

    /// <summary>The directory says that the password has expired, or must be changed first.</summary>
    PasswordExpired = 651,

    /// <summary>No directory server gave a verdict on the user; a user who cannot be checked is rejected.</summary>
    DirectoryUnavailable = 652,

    /// <summary>A Kerberos ticket, or the answer that must prove the server's own key, was not accepted (RFC 4120, RFC 4752).</summary>
    TicketRefused = 653,

    /// <summary>The Kerberos ticket is of a realm that the server does not accept.</summary>
    RealmNotAccepted = 654,

    /// <summary>The client could not get a Kerberos ticket for the server.</summary>
    TicketUnavailable = 655,

    // 660: reconnect credentials.

    /// <summary>The reconnect credential is not one of ours, or was altered, or the client does not have its secret.</summary>
    ReconnectCredentialInvalid = 660,

    /// <summary>The reconnect credential is bound to the key of another client certificate: it was taken from its device.</summary>
    ReconnectCredentialNotBound = 661,

    /// <summary>The reconnect credential was issued for another service.</summary>
    ReconnectCredentialForAnotherServer = 662,

    /// <summary>The reconnect credential is over: by its time, its key, or what has become of the user since.</summary>
    ReconnectCredentialNoLongerValid = 663,

    /// <summary>No reconnect credential is issued for a login of this kind.</summary>
    ReconnectCredentialUnavailable = 664,

    // 700: further reasons that end a live connection.

    /// <summary>A connection reached its maximum age.</summary>
    MaximumAgeReached = 700,

    /// <summary>Our own certificate expired while the connection was open.</summary>
    OwnCertificateExpired = 701,

    /// <summary>The live connection reached its maximum idle time: no application data was sent or received.</summary>
    IdleTimeoutReached = 702,

    /// <summary>The user of a live connection is no longer in its store.</summary>
    UserRemoved = 703,

    /// <summary>The user of a live connection was disabled.</summary>
    UserDisabled = 704,

    /// <summary>The user of a live connection has another password now: the verifier with which it logged in is gone.</summary>
    PasswordChanged = 705,

    /// <summary>A second factor with which the user of a live connection logged in was removed.</summary>
    SecondFactorRemoved = 706,

    /// <summary>The token, or another credential with which the user of a live connection logged in, expired.</summary>
    TokenExpired = 707,

    /// <summary>For too long it could not be found out whether the user of a live connection is still one.</summary>
    UserStoreUnreadable = 708,

    /// <summary>The application ended the connection by a rule of its own.</summary>
    EndedByApplication = 709,

    /// <summary>A newer session of the same user or device took the place of the live connection, the oldest one.</summary>
    SessionReplaced = 716,

    /// <summary>
    /// The user of a live connection that a reconnect credential opened has other second factors now, or its credentials were revoked.
    /// </summary>
    ReconnectCredentialRevoked = 717,

    /// <summary>For too long the application recorded no activity of the user of the live connection.</summary>
    UserInactive = 718,
}

/// <summary>The stable text form of <see cref="RejectionReason"/>.</summary>
public static class RejectionReasons
{
    private static readonly FrozenDictionary<RejectionReason, string> s_codes =
        Enum.GetValues<RejectionReason>().ToFrozenDictionary(reason => reason, reason => ToSnakeCase(reason.ToString()));

    /// <summary>The reason in lower_snake_case, as it appears in logs, metrics and the samples' output.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="reason"/> is not a reason that exists.</exception>
    public static string ToCode(this RejectionReason reason) =>
        s_codes.TryGetValue(reason, out var code) ? code : throw new ArgumentOutOfRangeException(nameof(reason), reason, "Not a rejection reason.");

    /// <summary>Whether what it names ends by itself. Of a refusal by the peer, only the peer's own reason tells.</summary>
    internal static bool IsTransient(this RejectionReason reason) => reason is
        RejectionReason.Unreachable
        or RejectionReason.NoClientHello
        or RejectionReason.IncompleteClientHello
        or RejectionReason.TransportClosed
        or RejectionReason.TransportFailed
        or RejectionReason.HandshakeTimedOut
        or RejectionReason.Overloaded
        or RejectionReason.EvictedBeforeHello
        or RejectionReason.ListenerStopped
        or RejectionReason.CertificateNotYetValid
        or RejectionReason.RevocationStatusUnknown
        or RejectionReason.ValidatorTimedOut
        or RejectionReason.ValidatorOverloaded
        or RejectionReason.ConfirmationTruncated
        or RejectionReason.AttemptsLimited
        or RejectionReason.CredentialCheckOverloaded
        or RejectionReason.StepUpTimedOut
        or RejectionReason.TokenNotYetValid
        or RejectionReason.TokenIssuerUnavailable
        or RejectionReason.DirectoryUnavailable
        or RejectionReason.MaximumAgeReached
        or RejectionReason.IdleTimeoutReached
        or RejectionReason.FactsExpired
        or RejectionReason.TooManySessions;

    internal static string ToSnakeCase(string pascalCase)
    {
        var text = new StringBuilder(pascalCase.Length + 8);
        foreach (var character in pascalCase)
        {
            if (char.IsAsciiLetterUpper(character) && text.Length > 0)
            {
                text.Append('_');
            }

            text.Append(char.ToLowerInvariant(character));
        }

        return text.ToString();
    }
}
