namespace MutualAuth;

/// <summary>What a side tells the other about a refusal: coarse on purpose, modelled on the TLS alerts (RFC 8446 §6.2).</summary>
/// <remarks>Numbers are the registry of <c>docs/protocol.md</c>. Where a TLS alert has the same meaning, the number is the alert's.</remarks>
public enum PublicReason
{
    /// <summary>The side that speaks broke off for a reason that it does not tell; TLS <c>handshake_failure</c>.</summary>
    Refused = 40,

    /// <summary>The certificate is malformed, or breaks a rule that its holder can mend; TLS <c>bad_certificate</c>.</summary>
    BadCertificate = 42,

    /// <summary>The certificate is of a kind, or for a use, that is not accepted; TLS <c>unsupported_certificate</c>.</summary>
    UnsupportedCertificate = 43,

    /// <summary>The certificate has been revoked; TLS <c>certificate_revoked</c>.</summary>
    CertificateRevoked = 44,

    /// <summary>The certificate has expired or is not yet valid; TLS <c>certificate_expired</c>.</summary>
    CertificateExpired = 45,

    /// <summary>The certificate is unacceptable for another reason; TLS <c>certificate_unknown</c>.</summary>
    CertificateUnknown = 46,

    /// <summary>No path leads to an authority that is trusted; TLS <c>unknown_ca</c>.</summary>
    UnknownCa = 48,

    /// <summary>The peer is known, and not let in; TLS <c>access_denied</c>.</summary>
    AccessDenied = 49,

    /// <summary>The peer broke the protocol; TLS <c>decode_error</c>.</summary>
    ProtocolError = 50,

    /// <summary>No version is shared; TLS <c>protocol_version</c>.</summary>
    ProtocolVersion = 70,

    /// <summary>Something failed that is not the peer's fault; TLS <c>internal_error</c>.</summary>
    InternalError = 80,

    /// <summary>The server does not serve this name; TLS <c>unrecognized_name</c>.</summary>
    UnrecognizedName = 112,

    /// <summary>A certificate is required and none came; TLS <c>certificate_required</c>.</summary>
    CertificateRequired = 116,

    /// <summary>No application protocol is shared; TLS <c>no_application_protocol</c>.</summary>
    NoApplicationProtocol = 120,

    /// <summary>The peer may try again later: no capacity, or a check that could not be made in time. No TLS alert has this meaning.</summary>
    TryAgainLater = 256,

    /// <summary>A user is required, and the client did not log in.</summary>
    CredentialsRequired = 257,

    /// <summary>The credentials are not right. It is not said whether the user exists.</summary>
    CredentialsWrong = 258,

    /// <summary>No mechanism for logging in is shared.</summary>
    MechanismUnavailable = 259,

    /// <summary>The credentials are not bound to this channel: somebody may stand in the middle.</summary>
    ChannelBindingRefused = 260,
}

/// <summary>The stable text form of <see cref="PublicReason"/>.</summary>
public static class PublicReasons
{
    /// <summary>The reason in lower_snake_case; <c>code_N</c> for a number that this version does not know.</summary>
    public static string ToCode(this PublicReason reason) => Enum.IsDefined(reason)
        ? RejectionReasons.ToSnakeCase(reason.ToString())
        : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"code_{(int)reason}");
}
