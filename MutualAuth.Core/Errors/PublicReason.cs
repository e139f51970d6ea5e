namespace MutualAuth;

/// <summary>
/// The reason that one side sends to the other when it refuses. It is deliberately coarse and modelled on the TLS alerts (RFC 8446 §6.2).
/// </summary>
/// <remarks>Numbers are the registry of <c>docs/protocol.md</c>. Where a TLS alert has the same meaning, the number is the alert's.</remarks>
public enum PublicReason
{
    /// <summary>The sender ended the handshake for an undisclosed reason; TLS <c>handshake_failure</c>.</summary>
    Refused = 40,

    /// <summary>The certificate is malformed, or breaks a rule in a way that its holder can correct; TLS <c>bad_certificate</c>.</summary>
    BadCertificate = 42,

    /// <summary>The kind or use of the certificate is not accepted; TLS <c>unsupported_certificate</c>.</summary>
    UnsupportedCertificate = 43,

    /// <summary>The certificate has been revoked; TLS <c>certificate_revoked</c>.</summary>
    CertificateRevoked = 44,

    /// <summary>The certificate has expired or is not yet valid; TLS <c>certificate_expired</c>.</summary>
    CertificateExpired = 45,

    /// <summary>The certificate is unacceptable for another reason; TLS <c>certificate_unknown</c>.</summary>
    CertificateUnknown = 46,

    /// <summary>No path leads to a trusted authority; TLS <c>unknown_ca</c>.</summary>
    UnknownCa = 48,

    /// <summary>The peer is authenticated but not authorized; TLS <c>access_denied</c>.</summary>
    AccessDenied = 49,

    /// <summary>The peer broke the protocol; TLS <c>decode_error</c>.</summary>
    ProtocolError = 50,

    /// <summary>There is no common TLS version; TLS <c>protocol_version</c>.</summary>
    ProtocolVersion = 70,

    /// <summary>The sender failed; the peer is not at fault; TLS <c>internal_error</c>.</summary>
    InternalError = 80,

    /// <summary>The server does not serve this name; TLS <c>unrecognized_name</c>.</summary>
    UnrecognizedName = 112,

    /// <summary>A certificate is required, and none was presented; TLS <c>certificate_required</c>.</summary>
    CertificateRequired = 116,

    /// <summary>There is no common application protocol; TLS <c>no_application_protocol</c>.</summary>
    NoApplicationProtocol = 120,

    /// <summary>The peer may try again later: no capacity, or a check could not be completed in time. No TLS alert has this meaning.</summary>
    TryAgainLater = 256,

    /// <summary>A user is required, and the client did not log in.</summary>
    CredentialsRequired = 257,

    /// <summary>The credentials are wrong. Whether the user exists is not disclosed.</summary>
    CredentialsWrong = 258,

    /// <summary>There is no common SASL mechanism.</summary>
    MechanismUnavailable = 259,

    /// <summary>The credentials are not bound to this channel: there may be a man in the middle.</summary>
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
