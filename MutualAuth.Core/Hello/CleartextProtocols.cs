using System.Text;
using MutualAuth.Errors;

namespace MutualAuth.Hello;

/// <summary>Recognises a peer that speaks something other than TLS, so that the operator reads what it is and not that a frame was corrupt.</summary>
internal static class CleartextProtocols
{
    private const int Enough = 8;

    private static readonly string[] s_http =
        ["GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "CONNECT ", "OPTIONS ", "TRACE ", "PATCH ", "PRI * HT", "HTTP/"];

    /// <summary>Returns null for TLS, and for bytes that may still become anything.</summary>
    /// <param name="received">The first bytes of the connection.</param>
    /// <param name="final">No more will come: what is there must be classified.</param>
    internal static Rejection? Recognise(ReadOnlySpan<byte> received, bool final)
    {
        if (received.IsEmpty || received[0] is 22 or 21)
        {
            return null;
        }

        // An SSLv2-style ClientHello: two bytes of length with the top bit set, then message type 1.
        if (received.Length >= 3 && (received[0] & 0x80) != 0 && received[2] == 1)
        {
            return new Rejection(RejectionReason.ProtocolVersionUnsupported, "TLS 1.2 or 1.3", "an SSL 2.0 hello") { Rule = "RFC 6176" };
        }

        if (!final && received.Length < Enough)
        {
            return null;
        }

        var start = Encoding.Latin1.GetString(received[..Math.Min(Enough, received.Length)]);
        if (Array.Exists(s_http, method => start.StartsWith(method, StringComparison.Ordinal)))
        {
            return new Rejection(RejectionReason.PlainHttp, "TLS", $"HTTP in the clear, {SafeText.Quote(start)}")
            { Hint = "The peer must use TLS on this port, or another port." };
        }

        if (start.StartsWith("SSH-", StringComparison.Ordinal))
        {
            return new Rejection(RejectionReason.PlainSsh, "TLS", $"SSH, {SafeText.Quote(start)}") { Hint = "The peer has dialled the wrong port." };
        }

        return new Rejection(
            RejectionReason.NotTls, "a TLS record", $"bytes {Convert.ToHexStringLower(received[..Math.Min(Enough, received.Length)])}")
        {
            Hint = "The peer does not speak TLS on this port.",
        };
    }
}
