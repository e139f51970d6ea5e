namespace MutualAuth;

/// <summary>The actions on open connections that are no longer valid, and the maximum age and idle time of connections.</summary>
/// <remarks>
/// Live connections are re-evaluated by the current rules whenever a source of trust, revocation lists, denied certificates, pins or rules
/// reports a replacement (<see cref="Reloading.IReloadable"/>), and when a certificate of the peer's path expires. A user who has logged in is
/// re-evaluated when its store or source announces a change (<see cref="Credentials.IFactChangeSource"/>), at each
/// <see cref="RecheckInterval"/>, when the rule for users is replaced, and when its credentials expire. It cannot be switched off;
/// <see cref="InvalidationAction.Notify"/> leaves the decision to end to the application. A connection that cannot be evaluated is always aborted.
/// Immutable.
/// </remarks>
public sealed record RevalidationPolicy
{
    /// <summary>A certificate of the path was revoked or put on the deny list. Default: <see cref="InvalidationAction.Abort"/>.</summary>
    public InvalidationAction OnRevoked { get; init; } = InvalidationAction.Abort;

    /// <summary>
    /// No path leads to a trust anchor any more, no pin matches, or path validation rejects the path. Default:
    /// <see cref="InvalidationAction.Abort"/>.
    /// </summary>
    public InvalidationAction OnUntrusted { get; init; } = InvalidationAction.Abort;

    /// <summary>A required revocation status of a certificate is no longer available. Default: <see cref="InvalidationAction.Drain"/>.</summary>
    public InvalidationAction OnStatusUnknown { get; init; } = InvalidationAction.Drain;

    /// <summary>
    /// The authorization rule, or a validator of the application, no longer accepts the peer. Default: <see cref="InvalidationAction.Drain"/>.
    /// </summary>
    public InvalidationAction OnUnauthorized { get; init; } = InvalidationAction.Drain;

    /// <summary>A certificate of the path expired. Default: <see cref="InvalidationAction.Drain"/>.</summary>
    public InvalidationAction OnExpired { get; init; } = InvalidationAction.Drain;

    /// <summary>The connection has reached <see cref="MaximumAge"/>. Default: <see cref="InvalidationAction.Drain"/>.</summary>
    public InvalidationAction OnMaximumAge { get; init; } = InvalidationAction.Drain;

    /// <summary>The connection was idle for <see cref="IdleTimeout"/>. Default: <see cref="InvalidationAction.Drain"/>.</summary>
    public InvalidationAction OnIdle { get; init; } = InvalidationAction.Drain;

    /// <summary>
    /// For <see cref="UserInactivityTimeout"/> the application recorded no activity of the user (<c>user_inactive</c>). Default:
    /// <see cref="InvalidationAction.Drain"/>, so that <see cref="GracePeriod"/> comes on top.
    /// </summary>
    public InvalidationAction OnUserInactive { get; init; } = InvalidationAction.Drain;

    /// <summary>
    /// Our own certificate expired, and <see cref="EndsWithOwnCertificate"/> is set. Default: <see cref="InvalidationAction.Drain"/>.
    /// </summary>
    public InvalidationAction OnOwnCertificateExpired { get; init; } = InvalidationAction.Drain;

    /// <summary>The user was disabled (<c>user_disabled</c>). Default: <see cref="InvalidationAction.Abort"/>.</summary>
    public InvalidationAction OnUserDisabled { get; init; } = InvalidationAction.Abort;

    /// <summary>The user is no longer in its store (<c>user_removed</c>). Default: <see cref="InvalidationAction.Abort"/>.</summary>
    public InvalidationAction OnUserRemoved { get; init; } = InvalidationAction.Abort;

    /// <summary>
    /// <see cref="Credentials.CredentialPolicy.Users"/> no longer accepts the user with this device (<c>user_not_allowed</c>), or
    /// <see cref="Credentials.CredentialPolicy.MayActAs"/> no longer lets it act as the other user (<c>authorization_identity_refused</c>).
    /// Default: <see cref="InvalidationAction.Abort"/>.
    /// </summary>
    public InvalidationAction OnUserNotAllowed { get; init; } = InvalidationAction.Abort;

    /// <summary>
    /// A second factor that the login relied on was removed (<c>second_factor_removed</c>); or a reconnect credential opened the connection, and any
    /// factor of the user is another one now, or the credential was revoked (<c>reconnect_credential_revoked</c>). Default:
    /// <see cref="InvalidationAction.Abort"/>.
    /// </summary>
    public InvalidationAction OnSecondFactorRemoved { get; init; } = InvalidationAction.Abort;

    /// <summary>The user has another password now (<c>password_changed</c>). Default: <see cref="InvalidationAction.Drain"/>.</summary>
    public InvalidationAction OnPasswordChanged { get; init; } = InvalidationAction.Drain;

    /// <summary>
    /// The token, or other credentials, expired: <see cref="AuthenticatedUser.NotAfter"/> is reached (<c>token_expired</c>). Default:
    /// <see cref="InvalidationAction.Drain"/>.
    /// </summary>
    public InvalidationAction OnTokenExpired { get; init; } = InvalidationAction.Drain;

    /// <summary>
    /// For <see cref="MaxUserStaleness"/> the store or source could not say whether the user still holds (<c>user_store_unreadable</c>). Default:
    /// <see cref="InvalidationAction.Drain"/>.
    /// </summary>
    public InvalidationAction OnUserStoreUnreadable { get; init; } = InvalidationAction.Drain;

    /// <summary>
    /// A validator whose yes counts for a time gave no new one before that was over (<c>facts_expired</c>, see
    /// <see cref="Validation.IPeerFactValidator"/>). Its no has the reason that the validator gives. Default: <see cref="InvalidationAction.Drain"/>.
    /// </summary>
    public InvalidationAction OnFactsExpired { get; init; } = InvalidationAction.Drain;

    /// <summary>
    /// How many questions about peers who are connected one such validator is asked at one time; further ones wait, those first whose yes is over
    /// first. Default: 16; 1 to 1,024.
    /// </summary>
    public int MaxConcurrentFactQuestions { get; init; } = 16;

    /// <summary>
    /// How often stores and sources are asked about all users of open connections; a change that is not announced is found within this time, and
    /// the time that the answer takes. Each server asks for itself, and none while it has no such connection. Default: one minute; from a second
    /// to a day.
    /// </summary>
    public TimeSpan RecheckInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long after the last good answer a user stays valid whose store or source cannot be read; no new user comes in meanwhile. A file that
    /// becomes unreadable counts from its last good reading. Default: 15 minutes; from <see cref="RecheckInterval"/> to 3,660 days.
    /// </summary>
    public TimeSpan MaxUserStaleness { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// How long before <see cref="AuthenticatedUser.NotAfter"/>, and before <see cref="MaximumAge"/>, <see cref="OnReauthenticationDue"/> is
    /// called; at once where less than that is left. Default: one minute; from zero to a day.
    /// </summary>
    public TimeSpan ReauthenticationLead { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Called for a connection whose user should authenticate again, <see cref="ReauthenticationLead"/> before each deadline and once for each, on
    /// a thread of the pool, one after the other. A callback that does not return gets no further calls, and delays the end of no connection. Its
    /// exceptions are logged. Default: null.
    /// </summary>
    public Action<MutualTlsConnection>? OnReauthenticationDue { get; init; }

    /// <summary>
    /// How long the application has to finish after the request to drain. Default: 30 seconds; zero closes at once, at most an hour.
    /// </summary>
    public TimeSpan GracePeriod { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a connection may last, or how long since its user authenticated again. Default: null, no limit; at most 3,660 days. Checks that are
    /// not repeated while a connection is open, such as asynchronous validators without a lifetime, are relied on for at most this long.
    /// </summary>
    public TimeSpan? MaximumAge { get; init; }

    /// <summary>
    /// How long a connection may carry no application data in either direction. Default: null, no limit; at most 3,660 days. A read counts once
    /// it has returned data, a write as the transport accepts it; pending or empty calls do not count, and neither do TLS's own
    /// messages. The clock is <see cref="Handshake.HandshakeOptions.TimeProvider"/>. Keep it longer than the pauses of your own protocol, and do
    /// not rely on it to detect dead peers: <see cref="Handshake.HandshakeOptions.KeepAlive"/> does that sooner.
    /// </summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>
    /// How long a connection may last since its user did something last, as <see cref="MutualTlsConnection.RecordUserActivity"/> says, or since
    /// it was accepted. Default: null, no limit; at most 3,660 days. Nothing else counts: no octet in either direction, no re-authentication, and
    /// no activity on another connection of the same user. What is recorded too late takes nothing back. The clock is
    /// <see cref="Handshake.HandshakeOptions.TimeProvider"/>.
    /// </summary>
    public TimeSpan? UserInactivityTimeout { get; init; }

    /// <summary>
    /// How long before the expiry of a certificate its connections are invalidated. It does not apply to tokens, which may last for less than it;
    /// see <see cref="ReauthenticationLead"/>. Default: zero; at most a day.
    /// </summary>
    public TimeSpan ExpiryMargin { get; init; }

    /// <summary>
    /// Over how long before a common end connections end, so that a fleet does not reconnect at once. Each connection chooses its part of it by
    /// chance, once, and ends by so much sooner, by at most half of the time that was left when the end became known; never later. It applies to
    /// the expiry of a certificate of the path and, with <see cref="EndsWithOwnCertificate"/>, of our own, to that of tokens, to that
    /// of what an <see cref="Validation.IPeerFactValidator"/> said, and to <see cref="MaximumAge"/>; <see cref="ReauthenticationLead"/> and the next
    /// question to a validator count from the sooner end. Default: zero; at most a day.
    /// </summary>
    public TimeSpan ExpirySpread { get; init; }

    /// <summary>Whether the expiry of the certificate that we presented also ends the connection. Default: false; the peer decides.</summary>
    public bool EndsWithOwnCertificate { get; init; }

    /// <summary>
    /// Called for every invalidated connection, one after the other, on a thread of the pool; <see cref="MutualTlsConnection.Invalidation"/>
    /// has the reason. A callback that does not return gets no further calls, and delays the end of no connection. Its exceptions are logged.
    /// Default: null.
    /// </summary>
    public Action<MutualTlsConnection>? OnInvalidated { get; init; }

    /// <summary>What to do about a reason.</summary>
    internal InvalidationAction ActionFor(RejectionReason reason) => reason switch
    {
        RejectionReason.CertificateRevoked or RejectionReason.DenyListed => OnRevoked,
        RejectionReason.RevocationStatusUnknown => OnStatusUnknown,
        RejectionReason.CertificateExpired => OnExpired,
        RejectionReason.NotAuthorized or RejectionReason.ServerNameMismatch or RejectionReason.WildcardRefused or RejectionReason.NotAnSvid
            or RejectionReason.ValidatorRefused => OnUnauthorized,
        RejectionReason.MaximumAgeReached => OnMaximumAge,
        RejectionReason.IdleTimeoutReached => OnIdle,
        RejectionReason.UserInactive => OnUserInactive,
        RejectionReason.OwnCertificateExpired => OnOwnCertificateExpired,
        RejectionReason.UserDisabled => OnUserDisabled,
        RejectionReason.UserRemoved => OnUserRemoved,
        RejectionReason.UserNotAllowed or RejectionReason.AuthorizationIdentityRefused => OnUserNotAllowed,
        RejectionReason.SecondFactorRemoved or RejectionReason.ReconnectCredentialRevoked => OnSecondFactorRemoved,
        RejectionReason.PasswordChanged => OnPasswordChanged,
        RejectionReason.TokenExpired => OnTokenExpired,
        RejectionReason.UserStoreUnreadable => OnUserStoreUnreadable,
        RejectionReason.FactsExpired => OnFactsExpired,
        RejectionReason.CredentialCheckFaulted => InvalidationAction.Abort, // nor is a user that cannot be examined
        RejectionReason.ValidatorFaulted => InvalidationAction.Abort, // a peer that cannot be validated is no longer valid, whatever the options say
        _ => OnUntrusted,
    };

    internal IEnumerable<string> Problems()
    {
        InvalidationAction[] actions =
        [
            OnRevoked, OnUntrusted, OnStatusUnknown, OnUnauthorized, OnExpired, OnMaximumAge, OnIdle, OnUserInactive,
            OnOwnCertificateExpired, OnUserDisabled, OnUserRemoved, OnUserNotAllowed, OnSecondFactorRemoved, OnPasswordChanged,
            OnTokenExpired, OnUserStoreUnreadable, OnFactsExpired,
        ];
        if (!actions.All(Enum.IsDefined))
        {
            yield return $"Every action of {nameof(RevalidationPolicy)} must be {nameof(InvalidationAction.Notify)}, "
                + $"{nameof(InvalidationAction.Drain)} or {nameof(InvalidationAction.Abort)}.";
        }

        if (GracePeriod < TimeSpan.Zero || GracePeriod > TimeSpan.FromHours(1))
        {
            yield return $"{nameof(GracePeriod)} must be between zero and an hour; it is {GracePeriod}.";
        }

        (string, TimeSpan?)[] limits =
            [(nameof(MaximumAge), MaximumAge), (nameof(IdleTimeout), IdleTimeout), (nameof(UserInactivityTimeout), UserInactivityTimeout)];
        foreach (var (name, value) in limits)
        {
            if (value is { } duration && (duration <= TimeSpan.Zero || duration > TimeSpan.FromDays(3660)))
            {
                yield return $"{name} must be more than zero and at most 3,660 days; it is {duration}.";
            }
        }

        if (ExpiryMargin < TimeSpan.Zero || ExpiryMargin > TimeSpan.FromDays(1))
        {
            yield return $"{nameof(ExpiryMargin)} must be between zero and a day; it is {ExpiryMargin}.";
        }

        if (ExpirySpread < TimeSpan.Zero || ExpirySpread > TimeSpan.FromDays(1))
        {
            yield return $"{nameof(ExpirySpread)} must be between zero and a day; it is {ExpirySpread}.";
        }

        if (RecheckInterval < TimeSpan.FromSeconds(1) || RecheckInterval > TimeSpan.FromDays(1))
        {
            yield return $"{nameof(RecheckInterval)} must be from a second to a day; it is {RecheckInterval}.";
        }

        if (MaxUserStaleness < RecheckInterval || MaxUserStaleness > TimeSpan.FromDays(3660))
        {
            yield return $"{nameof(MaxUserStaleness)} must be from {nameof(RecheckInterval)} to 3,660 days; it is {MaxUserStaleness}.";
        }

        if (MaxConcurrentFactQuestions is < 1 or > 1024)
        {
            yield return $"{nameof(MaxConcurrentFactQuestions)} must be from 1 to 1,024; it is {MaxConcurrentFactQuestions}.";
        }

        if (ReauthenticationLead < TimeSpan.Zero || ReauthenticationLead > TimeSpan.FromDays(1))
        {
            yield return $"{nameof(ReauthenticationLead)} must be between zero and a day; it is {ReauthenticationLead}.";
        }
    }
}
