namespace MutualAuth;

/// <summary>The actions on open connections that are no longer valid, and the maximum age and idle time of connections.</summary>
/// <remarks>
/// Live connections are re-evaluated by the current rules whenever a source of trust, revocation lists, denied certificates, pins or rules
/// reports a replacement (<see cref="Reloading.IReloadable"/>), and when a certificate of the peer's path expires. It cannot be switched off;
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
    /// Our own certificate expired, and <see cref="EndsWithOwnCertificate"/> is set. Default: <see cref="InvalidationAction.Drain"/>.
    /// </summary>
    public InvalidationAction OnOwnCertificateExpired { get; init; } = InvalidationAction.Drain;

    /// <summary>
    /// How long the application has to finish after the request to drain. Default: 30 seconds; zero closes at once, at most an hour.
    /// </summary>
    public TimeSpan GracePeriod { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a connection may last. Default: null, no limit; at most 3,660 days. Checks that are not repeated while a connection is open, such as
    /// asynchronous validators and logins, are relied on for at most this long.
    /// </summary>
    public TimeSpan? MaximumAge { get; init; }

    /// <summary>
    /// How long a connection may carry no application data in either direction. Default: null, no limit; at most 3,660 days. A read counts once
    /// it has returned data, a write as the transport accepts it; pending or empty calls do not count, and neither do TLS's own
    /// messages. The clock is <see cref="Handshake.HandshakeOptions.TimeProvider"/>. Keep it longer than the pauses of your own protocol, and do
    /// not rely on it to detect dead peers: <see cref="Handshake.HandshakeOptions.KeepAlive"/> does that sooner.
    /// </summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>How long before the expiry of a certificate its connections are invalidated. Default: zero; at most a day.</summary>
    public TimeSpan ExpiryMargin { get; init; }

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
        RejectionReason.NotAuthorized or RejectionReason.ServerNameMismatch or RejectionReason.NotAnSvid or RejectionReason.ValidatorRefused =>
            OnUnauthorized,
        RejectionReason.MaximumAgeReached => OnMaximumAge,
        RejectionReason.IdleTimeoutReached => OnIdle,
        RejectionReason.OwnCertificateExpired => OnOwnCertificateExpired,
        RejectionReason.ValidatorFaulted => InvalidationAction.Abort, // a peer that cannot be validated is no longer valid, whatever the options say
        _ => OnUntrusted,
    };

    internal IEnumerable<string> Problems()
    {
        InvalidationAction[] actions = [OnRevoked, OnUntrusted, OnStatusUnknown, OnUnauthorized, OnExpired, OnMaximumAge, OnIdle,
            OnOwnCertificateExpired];
        if (!actions.All(Enum.IsDefined))
        {
            yield return $"Every action of {nameof(RevalidationPolicy)} must be {nameof(InvalidationAction.Notify)}, "
                + $"{nameof(InvalidationAction.Drain)} or {nameof(InvalidationAction.Abort)}.";
        }

        if (GracePeriod < TimeSpan.Zero || GracePeriod > TimeSpan.FromHours(1))
        {
            yield return $"{nameof(GracePeriod)} must be between zero and an hour; it is {GracePeriod}.";
        }

        foreach (var (name, value) in new[] { (nameof(MaximumAge), MaximumAge), (nameof(IdleTimeout), IdleTimeout) })
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
    }
}
