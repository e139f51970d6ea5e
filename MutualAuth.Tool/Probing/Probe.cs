using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using MutualAuth.Certificates;
using MutualAuth.Evidence;
using MutualAuth.Expiry;
using MutualAuth.Names;
using MutualAuth.Pinning;
using MutualAuth.Revocation;
using MutualAuth.Samples;

namespace MutualAuth.Tool;

/// <summary>The steps of probe, each printed as it is known.</summary>
internal sealed class Probe(
    ProbeTarget target, TrustAnchors? trust, Identity? identity, RevocationPolicy? revocation, PinSet? pins, Report report)
{
    /// <summary>How long a plain server has time to refuse us after the handshake.</summary>
    private static readonly TimeSpan s_refusalWait = TimeSpan.FromSeconds(1);

    internal async Task<int> RunAsync(bool isQuick, CancellationToken stop)
    {
        try
        {
            await ReachAsync(stop);
            await SpeakAsync(stop);
            if (!isQuick)
            {
                await SurveyAsync(stop);
            }

            var look = await Look.AtAsync(target, stop);
            var judgement = ServerJudgement.Of(look, target, trust, revocation, pins, TimeProvider.System);
            TellCertificates(look, judgement);
            if (judgement.Rejection is { } rejection)
            {
                return End(HandshakeExit.PeerRejected, rejection.Reason.ToCode(), rejection.ToString(), CureOf(rejection, judgement));
            }

            return await AskForVerdictAsync(look, stop);
        }
        catch (ProbeException exception)
        {
            return End(exception.ExitCode, exception.Code, exception.Message, exception.Cure);
        }
    }

    private async Task ReachAsync(CancellationToken stop)
    {
        try
        {
            await using var stream = await target.ConnectAsync(stop);
        }
        catch (ProbeException exception)
        {
            report.Step("reached", Mood.Bad, $"no: {exception.Message}", ("ok", false), ("reason", exception.Code));
            throw;
        }

        report.Step(
            "reached",
            Mood.Good,
            $"{target.EndPoint} in {target.ConnectTime.TotalMilliseconds:0.0} ms",
            ("ok", true), ("address", target.EndPoint.ToString()),
                ("milliseconds", target.ConnectTime.TotalMilliseconds.ToString("0.0", CultureInfo.InvariantCulture)));
    }

    private async Task SpeakAsync(CancellationToken stop)
    {
        try
        {
            var answer = await FirstWords.AskAsync(target, stop);
            report.Step(
                "speaks",
                Mood.Good,
                answer is ServerAnswer.Alert(var alert) ? $"TLS, with alert {alert} to a hello of TLS 1.3 alone" : "TLS",
                ("ok", true), ("protocol", "tls"));
        }
        catch (ProbeException exception)
        {
            report.Step("speaks", Mood.Bad, exception.Message, ("ok", false), ("reason", exception.Code));
            throw;
        }
    }

    private async Task SurveyAsync(CancellationToken stop)
    {
        var found = await new Survey(target).RunAsync(stop);
        var isOurs = found.Versions.Any(version => version is "1.2" or "1.3");
        report.Step(
            "versions",
            isOurs ? found.Versions.Any(version => version is "1.0" or "1.1") ? Mood.Doubtful : Mood.Good : Mood.Bad,
            found.Versions.Count == 0 ? "none of TLS 1.0 to 1.3" : $"TLS {string.Join(", ", found.Versions)}",
            ("ok", isOurs), ("versions", found.Versions));
        report.Step("suites", Mood.Plain, found.Suites.Count == 0 ? "-" : string.Join(", ", found.Suites), ("suites", found.Suites));
        report.Step(
            "groups",
            Mood.Plain,
            found.Groups.Count == 0 ? "-"
                : string.Join(", ", found.Groups) + (found.IsComplete ? null : $"; not all was asked: {found.Connections} connections"),
            ("groups", found.Groups), ("connections", found.Connections), ("complete", found.IsComplete));
        if (!isOurs && found.IsComplete)
        {
            throw found.Versions.Count > 0
                ? new ProbeException(
                    HandshakeExit.NoAgreement,
                    RejectionReason.ProtocolVersionUnsupported,
                    $"The server takes TLS {string.Join(" and ", found.Versions)} alone; the library takes 1.2 and 1.3.")
                : new ProbeException(
                    HandshakeExit.NoAgreement,
                    target.Protocols.Length > 0 ? RejectionReason.AlpnMismatch : RejectionReason.NoCommonCipherSuite,
                    "The server speaks TLS, and takes no hello of ours.",
                    "look at its log; it may serve other names (--server-name), or be strict about application protocols (--alpn)");
        }
    }

    private void TellCertificates(Look look, ServerJudgement judgement)
    {
        for (var i = 0; i < look.Certificates.Length; i++)
        {
            var rejection = judgement.At == i ? judgement.Rejection : null;
            if (judgement.Certificates[i] is not { } certificate)
            {
                report.Step($"certificate {i + 1}", Mood.Bad, "cannot be read", ("ok", false), ("index", i + 1),
                    ("reason", rejection?.Reason.ToCode()));
                continue;
            }

            var names = Material.NamesOf(certificate);
            var isAssumed = ReferenceEquals(judgement.Assumed, certificate);
            var state = rejection is not null ? rejection.Reason.ToCode() : judgement.Rejection is not null && judgement.At < i ? "not judged"
                : isAssumed ? "assumed" : "good";
            report.Step(
                $"certificate {i + 1}",
                rejection is not null ? Mood.Bad : state == "good" ? Mood.Good : Mood.Doubtful,
                $"{state}: {certificate.Subject}{(names.IsEmpty ? null : $" for {Some(names, ", ")}")}, "
                    + $"of {certificate.Issuer}, {Day(certificate.NotBefore)} to {Day(certificate.NotAfter)}",
                ("ok", rejection is null),
                ("index", i + 1),
                ("state", state),
                ("subject", certificate.Subject.ToString()),
                ("issuer", certificate.Issuer.ToString()),
                ("names", names),
                ("not_before", certificate.NotBefore),
                ("not_after", certificate.NotAfter),
                ("pin", SpkiPin.OfSubjectPublicKeyInfo(certificate.SubjectPublicKeyInfo.Span).ToString()),
                ("rejection", rejection?.ToString()));
        }

        report.Step(
            "our verdict",
            judgement.Rejection is not null ? Mood.Bad : judgement.Assumed is not null ? Mood.Doubtful : Mood.Good,
            (judgement.Rejection, judgement.Assumed) switch
            {
                ({ } rejection, null) => $"rejected: {rejection}",
                ({ } rejection, _) => $"rejected, whoever is trusted: {rejection}",
                (null, { } assumed) => $"accepted if {assumed.Subject} is trusted, which was not asked: no --trust was given",
                _ => $"accepted as {target.Name}{(revocation is null ? "; revocation was not asked: no --crl was given" : null)}",
            },
            ("ok", judgement.Rejection is null),
            ("reason", judgement.Rejection?.Reason.ToCode()),
            ("trust", judgement.Assumed is null ? "given" : "assumed"));
        report.Step(
            "asks for ours",
            look.AsksForCertificate ? Mood.Good : Mood.Doubtful,
            look.AsksForCertificate
                ? look.Authorities.IsEmpty ? "yes, of any authority"
                    : $"yes, of {Some(look.Authorities, "; ")}"
                : "no",
            ("asked", look.AsksForCertificate), ("authorities", look.Authorities));
    }

    private async Task<int> AskForVerdictAsync(Look look, CancellationToken stop)
    {
        if (trust is null)
        {
            return End(
                0,
                null,
                null,
                look.AsksForCertificate
                    ? "give --trust FILE, and --certificate and --key, to have both verdicts"
                    : "give --trust FILE to have our verdict; this server asks for no certificate, so that TLS alone authenticates no client there");
        }

        TellOwn(look);
        var client = new MutualTlsClient(new MutualTlsClientOptions
        {
            Identity = identity is null ? ClientIdentity.None : ClientIdentity.From(identity),
            Trust = trust,
            Authorization = Authorize.ServerName,
            Revocation = revocation,
            Pins = pins,
            ApplicationProtocols = [.. target.Protocols],
            HandshakeTimeout = target.Timeout,
        });
        try
        {
            await using var connection = await client.ConnectAsync(target.EndPoint, target.Name.ToString(), stop);
            var session = connection.Session;
            report.Step(
                "agreed",
                Mood.Good,
                $"TLS {(session.TlsVersion == TlsVersion.Tls13 ? "1.3" : "1.2")}, {session.CipherSuite}, "
                    + $"{session.KeyExchangeGroup?.ToText() ?? "no named group"}"
                    + $"{(session.ApplicationProtocol is { } protocol ? $", {protocol}" : null)}",
                ("tls", session.TlsVersion == TlsVersion.Tls13 ? "1.3" : "1.2"),
                ("suite", session.CipherSuite.ToString()),
                ("group", session.KeyExchangeGroup?.ToText()),
                ("alpn", session.ApplicationProtocol));
            report.Step(
                "confirmation",
                connection.IsConfirmed ? Mood.Good : Mood.Doubtful,
                connection.IsConfirmed ? "yes: it says in the handshake whether it accepts us"
                    : "no: plain TLS, which does not say that it accepts us",
                ("confirmed", connection.IsConfirmed));
            return await TheirVerdictAsync(connection, look, stop);
        }
        catch (HandshakeException failure)
        {
            return TellFailure(failure, look);
        }
    }

    /// <summary>What is wrong with our own certificate, before the server says less about it.</summary>
    private void TellOwn(Look look)
    {
        if (identity is null)
        {
            report.Step("ours", look.AsksForCertificate ? Mood.Doubtful : Mood.Plain, "none: no --certificate was given", ("certificate", null));
            return;
        }

        var doubt = new IdentityCheck { Role = PeerRole.Client }.Examine(identity, TimeProvider.System.GetUtcNow());
        report.Step(
            "ours",
            doubt is null ? Mood.Good : Mood.Bad,
            $"{identity.Certificate.Subject} of {identity.Certificate.Issuer}, to "
                + $"{Day(identity.Certificate.NotAfter)}{(doubt is null ? null : $"; {doubt.Message}")}",
            ("certificate", identity.Certificate.Subject.ToString()), ("ok", doubt is null), ("problem", doubt?.Message));
    }

    private int TellFailure(HandshakeException failure, Look look)
    {
        var (exitCode, code, message) = HandshakeExit.Of(failure);
        if (failure.Failure == HandshakeFailure.RefusedByPeer)
        {
            report.Step("their verdict", Mood.Bad, $"refused: {code}", ("ok", false), ("reason", code));
            return End(exitCode, code, message, CureOf(failure.PeerReason, look));
        }

        report.Step("their verdict", Mood.Bad, $"none: {failure.Rejection}", ("ok", null), ("reason", code));
        return End(exitCode, code, message, CureOf(failure.Rejection));
    }

    private async Task<int> TheirVerdictAsync(MutualTlsConnection connection, Look look, CancellationToken stop)
    {
        if (connection.IsConfirmed)
        {
            report.Step("their verdict", Mood.Good, "accepted", ("ok", true));
            return End(0, null, null, "nothing: both sides accept");
        }

        try
        {
            var answer = await ListenAsync(connection, stop);
            switch (answer)
            {
                case null:
                    report.Step("their verdict", Mood.Doubtful, $"no refusal within {s_refusalWait.TotalSeconds:0} s", ("ok", null));
                    return End(
                        0,
                        null,
                        null,
                        identity is null || !look.AsksForCertificate
                            ? "give --certificate and --key, or see whether the server is meant to ask for a certificate: it knows nobody by TLS now"
                            : "nothing: we accept it, and it has not refused us; a plain server that accepts says no more");
                case "":
                    report.Step("their verdict", Mood.Bad, "it closed right after the handshake, without a reason", ("ok", false),
                        ("reason", "refused"));
                    return End(
                        HandshakeExit.RefusedByPeer, "refused",
                            "The server closed right after the handshake, as servers do that refuse a client without a word.",
                        CureOf(identity is null ? PublicReason.CertificateRequired : PublicReason.Refused, look));
                default:
                    var isRefusal = answer.Split(' ') is [_, "400" or "401" or "403" or "495" or "496", ..];
                    report.Step("their verdict", isRefusal ? Mood.Bad : Mood.Good, $"its answer to a request: {answer}", ("ok", !isRefusal),
                        ("answer", answer));
                    return isRefusal
                        ? End(
                            HandshakeExit.RefusedByPeer, "access_denied", $"The web server refuses the client: {answer}",
                            CureOf(identity is null ? PublicReason.CertificateRequired : PublicReason.AccessDenied, look))
                        : End(0, null, null, "nothing: it answers");
            }
        }
        catch (IOException exception) when (connection.TryGetRefusal(exception, out var refusal))
        {
            return TellFailure(refusal, look);
        }
        catch (IOException exception)
        {
            report.Step("their verdict", Mood.Bad, $"the connection broke: {exception.Message}", ("ok", false), ("reason", "refused"));
            return End(
                HandshakeExit.RefusedByPeer, "refused",
                    "The server broke the connection right after the handshake, as servers do that refuse a client.",
                CureOf(identity is null ? PublicReason.CertificateRequired : PublicReason.Refused, look));
        }
    }

    /// <summary>Null when nothing came, empty when it closed, else the first line of its answer.</summary>
    private async Task<string?> ListenAsync(MutualTlsConnection connection, CancellationToken stop)
    {
        var isWeb = connection.Session.ApplicationProtocol == "http/1.1";
        if (isWeb)
        {
            var request = $"HEAD / HTTP/1.1\r\nHost: {target.Name}\r\nConnection: close\r\n\r\n";
            await connection.Stream.WriteAsync(Encoding.ASCII.GetBytes(request), stop);
        }

        var buffer = new byte[1024];
        using var wait = CancellationTokenSource.CreateLinkedTokenSource(stop);
        wait.CancelAfter(isWeb ? target.Timeout : s_refusalWait);
        try
        {
            var count = await connection.Stream.ReadAsync(buffer, wait.Token);
            return Encoding.Latin1.GetString(buffer, 0, count).Split('\r', '\n')[0];
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return null;
        }
    }

    private int End(int exitCode, string? code, string? message, string cure)
    {
        report.Step("do", exitCode == 0 ? Mood.Plain : Mood.Bad, cure, ("exit_code", exitCode), ("code", code), ("do", cure));
        return exitCode == 0 ? 0 : CommandLine.Fail(exitCode, code!, message!);
    }

    /// <summary>What to do about the server, in the flags of this command.</summary>
    private string CureOf(Rejection rejection, ServerJudgement judgement) => (rejection.Reason, judgement.Certificates[0]) switch
    {
        (RejectionReason.UnknownAuthority, _) when judgement.Certificates[^1] is { } last =>
            $"give the authority '{last.Issuer}' with --trust, or have the server send its intermediates",
        (RejectionReason.ServerNameMismatch, { } leaf) =>
            $"dial a name that it has ({string.Join(", ", Material.NamesOf(leaf).Take(8).DefaultIfEmpty("none"))}), or have it issued for "
                + $"{target.Name}",
        (RejectionReason.CertificateExpired, _) => "renew the server's certificate and have it loaded; compare both clocks",
        (RejectionReason.CertificateRevoked, _) => "the server needs a new certificate with a new key; ask its authority why this one is revoked",
        (RejectionReason.PinMismatch, { } leaf) =>
            $"ask the server's owner whether {SpkiPin.OfSubjectPublicKeyInfo(leaf.SubjectPublicKeyInfo.Span)} is its key; if so, add it with --pin",
        _ => CureOf(rejection),
    };

    private static string CureOf(Rejection rejection) => rejection.Hint ?? Explanations.Of(rejection.Reason)?.Cure
        ?? "see docs/reference/rejections.md";

    /// <summary>What one that was refused can do; the peer alone knows more.</summary>
    private string CureOf(PublicReason? reason, Look look) => reason switch
    {
        not PublicReason.CredentialsRequired when identity is null && look.AsksForCertificate =>
            "give --certificate and --key: the server demands a client's certificate",
        PublicReason.CertificateRequired when !look.Authorities.IsEmpty => $"show a certificate of an authority that it names: {look.Authorities[0]}",
        PublicReason.UnknownCa => look.Authorities.IsEmpty
            ? "add our authority to what the server trusts, or show a certificate of an authority that it trusts, with its intermediates"
            : $"show a certificate of an authority that it names, with its intermediates: {look.Authorities[0]}",
        PublicReason.CertificateExpired => "renew our certificate, and compare both clocks",
        PublicReason.CertificateRevoked => "our certificate is revoked: get a new one with a new key, and ask its authority why",
        PublicReason.AccessDenied => "let our name in: add it to the rules of the server",
        PublicReason.UnsupportedCertificate => "show a certificate for clients: extended key usage clientAuth",
        PublicReason.CredentialsRequired => "log in: 'mutualauth connect --user NAME --password-file FILE'",
        _ => "look for the detailed reason in the server's log, at the time of this probe",
    };

    /// <summary>The first eight of them.</summary>
    private static string Some(ImmutableArray<string> texts, string separator) =>
        string.Join(separator, texts.Take(8)) + (texts.Length > 8 ? $"{separator}…" : null);

    private static string Day(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
