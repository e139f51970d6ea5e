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
    /// <param name="ourRole">The part that we play.</param>
    internal static Rejection? Recognise(ReadOnlySpan<byte> received, bool final, PeerRole ourRole = PeerRole.Server)
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

        var first = received[..Math.Min(Enough, received.Length)];
        var start = Encoding.Latin1.GetString(first);
        if (IsHttp(start))
        {
            return new Rejection(RejectionReason.PlainHttp, "TLS", $"HTTP in the clear, {SafeText.Quote(start)}")
            {
                Hint = ourRole == PeerRole.Server
                    ? "The peer must use TLS on this port, or another port."
                    : "The server does not use TLS on this port: dial another one.",
            };
        }

        if (start.StartsWith("SSH-", StringComparison.Ordinal))
        {
            return new Rejection(RejectionReason.PlainSsh, "TLS", $"SSH, {SafeText.Quote(start)}")
            { Hint = ourRole == PeerRole.Server ? "The peer has dialled the wrong port." : "This is the port of an SSH server: dial another one." };
        }

        if (VersionOfProxyHeader(start) is { } version)
        {
            return new Rejection(RejectionReason.NotTls, "a TLS record", $"a PROXY protocol header of version {version}")
            {
                Hint = "If a load balancer of yours sends it, put its address into ProxyProtocol.TrustedProxies of the listener's options. One "
                    + "header is read: behind several proxies only the nearest may send one.",
            };
        }

        return new Rejection(RejectionReason.NotTls, "a TLS record", Describe(start, first))
        {
            Hint = ourRole == PeerRole.Server ? "The peer does not speak TLS on this port." : "The server does not speak TLS on this port.",
        };
    }

    private static bool IsHttp(string start) => Array.Exists(s_http, method => start.StartsWith(method, StringComparison.Ordinal));

    private static int? VersionOfProxyHeader(string start) =>
        start.StartsWith("PROXY ", StringComparison.Ordinal) ? 1 : start.StartsWith("\r\n\r\n\0\r\nQ", StringComparison.Ordinal) ? 2 : null;

    /// <summary>Text as text, such as the first line of an HTML page or a greeting; anything else as octets.</summary>
    private static string Describe(string start, ReadOnlySpan<byte> first) => start.All(character => character is >= ' ' and <= '~')
        ? $"the text {SafeText.Quote(start)}"
        : $"the octets {Convert.ToHexStringLower(first)}";
}
