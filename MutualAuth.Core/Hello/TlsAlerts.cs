namespace MutualAuth.Hello;

/// <summary>TLS alerts (RFC 8446 §6): read out of the platform's exceptions, written before a TLS engine exists.</summary>
internal static class TlsAlerts
{
    internal const int UnexpectedMessage = 10;
    internal const int RecordOverflow = 22;
    internal const int HandshakeFailure = 40;
    internal const int NoCertificate = 41;
    internal const int IllegalParameter = 47;
    internal const int DecodeError = 50;
    internal const int ProtocolVersion = 70;
    internal const int InternalError = 80;
    internal const int UnrecognizedName = 112;
    internal const int CertificateRequired = 116;
    internal const int NoApplicationProtocol = 120;

    private const int OpenSslSslLibrary = 20;
    private const int OpenSslReceivedAlerts = 1000;

    /// <summary>A fatal alert as one plain-text record, for a peer that is rejected before the TLS engine starts.</summary>
    internal static byte[] ToRecord(int description) => [21, 3, 3, 0, 2, 2, (byte)description];

    /// <summary>Finds the alert that the peer sent, or OpenSSL's own error code, in what <c>SslStream</c> threw.</summary>
    /// <returns>The alert number when the peer sent one; else the local error's number; both null when OpenSSL said nothing.</returns>
    internal static (int? Received, int? LocalError) Find(Exception exception)
    {
        while (exception.InnerException is { } inner)
        {
            exception = inner;
        }

        // OpenSSL packs (library << 23 | reason) and numbers a received alert 1000 + description; the runtime puts it in HResult.
        var code = (uint)exception.HResult;
        if (code >> 23 != OpenSslSslLibrary)
        {
            return (null, null);
        }

        var reason = (int)(code & 0x7FFFFF);
        return reason is >= OpenSslReceivedAlerts and <= OpenSslReceivedAlerts + byte.MaxValue
            ? (reason - OpenSslReceivedAlerts, null)
            : (null, reason);
    }

    /// <summary>What the peer's alert in <paramref name="exception"/> says about us; null when there is none in it.</summary>
    internal static PublicReason? FindPublicReason(Exception? exception) =>
        exception is not null && Find(exception).Received is { } alert ? ToPublicReason(alert) : null;

    /// <summary>What an alert of the peer's says about us, by the table in <c>docs/protocol.md</c>.</summary>
    internal static PublicReason ToPublicReason(int alert) => alert switch
    {
        NoCertificate => PublicReason.CertificateRequired, // no_certificate: SSL 3.0's word, still sent by some
        51 => PublicReason.BadCertificate, // decrypt_error: our CertificateVerify did not verify
        47 => PublicReason.ProtocolError, // illegal_parameter
        109 or 110 => PublicReason.ProtocolError, // missing_extension, unsupported_extension
        113 or 114 => PublicReason.CertificateUnknown, // bad_certificate_status_response, bad_certificate_hash_value
        10 or 20 or 22 => PublicReason.ProtocolError, // unexpected_message, bad_record_mac, record_overflow
        _ when alert != (int)PublicReason.TryAgainLater && Enum.IsDefined((PublicReason)alert) => (PublicReason)alert,
        _ => PublicReason.Refused,
    };
}
