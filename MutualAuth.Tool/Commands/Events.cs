using MutualAuth.Evidence;
using MutualAuth.Samples;

namespace MutualAuth.Tool;

/// <summary>What connect and serve say on stderr, in the lines of the echo programs.</summary>
internal static class Events
{
    internal static void Accepted(Report report, MutualTlsConnection connection, string group)
    {
        var session = connection.Session;
        var tls = session.TlsVersion == TlsVersion.Tls13 ? "1.3" : "1.2";
        var user = connection.Peer.User?.Name;
        report.Line(
            $"accepted name={connection.Peer.Name} user={CommandLine.Token(user)} confirmed={(connection.IsConfirmed ? "yes" : "no")} tls={tls} "
                + $"alpn={session.ApplicationProtocol ?? "-"}{group}",
            ("event", "accepted"),
            ("name", connection.Peer.Name.ToString()),
            ("user", user),
            ("confirmed", connection.IsConfirmed),
            ("tls", tls),
            ("alpn", session.ApplicationProtocol),
            ("group", session.KeyExchangeGroup?.ToText()));
    }

    internal static void Failed(Report report, HandshakeException failure)
    {
        var isTheirs = failure.Failure == HandshakeFailure.RefusedByPeer;
        var code = isTheirs ? (failure.PeerReason ?? PublicReason.Refused).ToCode() : failure.Reason.ToCode();
        report.Line(
            isTheirs ? $"refused-by-peer code={code}" : $"rejected reason={code} name={failure.PeerName ?? "-"}",
            ("event", isTheirs ? "refused_by_peer" : "rejected"),
            ("code", code),
            ("name", failure.PeerName),
            ("remote", failure.RemoteEndPoint?.ToString()),
            ("message", failure.Rejection.ToString()));
    }
}
