using System.Text;
using MutualAuth.Samples;

namespace MutualAuth.Tool;

/// <summary>What a peer speaks, from its answer to a TLS hello.</summary>
internal static class FirstWords
{
    private const int NoApplicationProtocol = 120; // RFC 7301 §3.2

    /// <summary>The answer, which is of TLS.</summary>
    /// <exception cref="ProbeException">It does not speak TLS, or says nothing.</exception>
    internal static async Task<ServerAnswer> AskAsync(ProbeTarget target, CancellationToken stop)
    {
        var answer = await AskAsync(target, ProbeHello.Tls13, stop);
        if (answer is ServerAnswer.Alert(NoApplicationProtocol))
        {
            answer = await AskInConfirmationAsync(target, answer, stop);
        }

        if (answer is ServerAnswer.Closed)
        {
            // One of TLS 1.2 alone may close without an alert.
            answer = await AskAsync(target, ProbeHello.Tls12, stop);
        }

        if (answer is ServerAnswer.Silent)
        {
            // A server that reads lines waits for the end of ours: asked in its own language it may answer.
            await using var second = await target.ConnectAsync(stop);
            var plain = await ServerAnswer.ToAsync(second, "HEAD / HTTP/1.0\r\n\r\n"u8.ToArray(), target.Timeout, stop);
            answer = plain is ServerAnswer.NotTls ? plain : answer;
        }

        return answer switch
        {
            ServerAnswer.NotTls(var octets) => throw Recognised(octets),
            ServerAnswer.Silent => throw new ProbeException(
                HandshakeExit.TimedOut,
                RejectionReason.HandshakeTimedOut,
                $"The peer accepts connections and says nothing within {target.Timeout.TotalSeconds:0.#} s, neither to a TLS hello nor to HTTP.",
                "look whether the process behind the port is stuck, or whether a proxy waits for something before TLS, such as a PROXY header"),
            ServerAnswer.Closed(var byReset) => throw new ProbeException(
                HandshakeExit.NoAgreement,
                byReset ? RejectionReason.TransportFailed : RejectionReason.TransportClosed,
                $"The peer {(byReset ? "resets" : "closes")} the connection at a TLS hello, without a word."),
            _ => answer,
        };
    }

    /// <summary>A server that demands confirmation answers no hello without it.</summary>
    private static async Task<ServerAnswer> AskInConfirmationAsync(ProbeTarget target, ServerAnswer before, CancellationToken stop)
    {
        target.OfferConfirmation();
        if (await AskAsync(target, ProbeHello.Tls13, stop) is var answer and not ServerAnswer.Alert(NoApplicationProtocol))
        {
            return answer;
        }

        target.OfferPlainly();
        return before;
    }

    private static async Task<ServerAnswer> AskAsync(ProbeTarget target, int version, CancellationToken stop)
    {
        await using var stream = await target.ConnectAsync(stop);
        return await ServerAnswer.ToAsync(stream, Survey.FirstHello(target, version).ToRecord(), target.Timeout, stop);
    }

    private static ProbeException Recognised(byte[] octets)
    {
        var text = Encoding.Latin1.GetString(octets);
        var line = new string([.. text.TakeWhile(character => character is not ('\r' or '\n')).Take(80)
            .Select(character => char.IsAscii(character) && !char.IsControl(character) ? character : '?')]);
        var (reason, what) = text switch
        {
            _ when text.StartsWith("HTTP/", StringComparison.Ordinal) => (RejectionReason.PlainHttp, "HTTP without TLS"),
            _ when text.StartsWith("SSH-", StringComparison.Ordinal) => (RejectionReason.PlainSsh, "SSH"),
            _ when text.StartsWith("220", StringComparison.Ordinal) =>
                (RejectionReason.NotTls, "SMTP or FTP in the clear, which begins TLS by STARTTLS or not at all"),
            _ when text.StartsWith("* OK", StringComparison.Ordinal) || text.StartsWith("+OK", StringComparison.Ordinal) =>
                (RejectionReason.NotTls, "mail in the clear, which begins TLS by STARTTLS or not at all"),
            _ when text.StartsWith("-ERR", StringComparison.Ordinal) => (RejectionReason.NotTls, "Redis without TLS"),
            _ => (RejectionReason.NotTls, "no TLS, and no protocol that is recognised"),
        };
        return new ProbeException(
            HandshakeExit.NoAgreement,
            reason,
            $"The peer speaks {what}: '{line}'.",
            reason switch
            {
                RejectionReason.PlainHttp => "use the port where the server speaks TLS, or switch TLS on for this one",
                RejectionReason.PlainSsh => "correct the port: this one is SSH's",
                _ => "correct the port, or switch TLS on there",
            });
    }
}
