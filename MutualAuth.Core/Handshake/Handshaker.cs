using System.Net.Security;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using MutualAuth.Certificates;
using MutualAuth.Confirmation;
using MutualAuth.Errors;
using MutualAuth.Evidence;
using MutualAuth.Names;
using MutualAuth.Telemetry;
using MutualAuth.Validation;

namespace MutualAuth.Handshake;

/// <summary>Carries an attempt from TLS to a confirmed, authenticated stream. The only code that starts <c>SslStream</c>'s authentication.</summary>
internal sealed class Handshaker
{
    private readonly HandshakeOptions _options;
    private readonly CertificateStage _stage;
    private readonly AsyncPeerValidation _asyncStage;
    private readonly ILogger _logger;

    internal Handshaker(HandshakeOptions options)
    {
        _options = options;
        _stage = new CertificateStage(options);
        _logger = options.LoggerFactory.CreateLogger(MutualAuthTelemetry.LogCategory);
        _asyncStage = new AsyncPeerValidation(
            options.AsyncValidators,
            options.MaxConcurrentAsyncValidations,
            options.AsyncValidatorTimeout,
            options.TimeProvider,
            _logger);
    }

    /// <summary>We are the server, and have read the client's hello.</summary>
    internal async ValueTask<AuthenticatedTls> AsServerAsync(HandshakeAttempt attempt, ClientHello hello, Identity identity)
    {
        await _options.Trust.PrepareAsync(_logger, attempt.Token).ConfigureAwait(false);
        var protocol = await OfferAnswer.AgreeAsync(attempt, hello, _options).ConfigureAwait(false);
        var judge = new PeerJudge(_stage, _options.TimeProvider, PeerRole.Client) { RemoteEndPoint = attempt.RemoteEndPoint };
        var tls = attempt.Tls = new SslStream(attempt.Transport, leaveInnerStreamOpen: false);
        await AuthenticateAsync(tls.AuthenticateAsServerAsync(TlsSettings.ForServer(_options, identity, protocol, judge), attempt.Token), judge, attempt).ConfigureAwait(false);
        return await ConcludeAsync(attempt, tls, judge, hello.ServerName).ConfigureAwait(false);
    }

    /// <summary>We are the client.</summary>
    internal async ValueTask<AuthenticatedTls> AsClientAsync(HandshakeAttempt attempt, ServerName? serverName, Identity? identity, bool judgeFirst)
    {
        await _options.Trust.PrepareAsync(_logger, attempt.Token).ConfigureAwait(false);
        var judge = new PeerJudge(_stage, _options.TimeProvider, PeerRole.Server) { DialledName = serverName, RemoteEndPoint = attempt.RemoteEndPoint };
        var tls = attempt.Tls = new SslStream(attempt.Transport, leaveInnerStreamOpen: false);
        var settings = TlsSettings.ForClient(_options, serverName, identity, judgeFirst, judge);
        await AuthenticateAsync(tls.AuthenticateAsClientAsync(settings, attempt.Token), judge, attempt).ConfigureAwait(false);
        RequireOffered(tls.NegotiatedApplicationProtocol, settings.ApplicationProtocols);
        return await ConcludeAsync(attempt, tls, judge, serverName?.Dns?.ToString()).ConfigureAwait(false);
    }

    /// <summary>The TLS engine takes whatever protocol a server names; only one that was offered counts (RFC 7301 §3.1).</summary>
    private static void RequireOffered(SslApplicationProtocol negotiated, List<SslApplicationProtocol>? offered)
    {
        if (!negotiated.Protocol.IsEmpty && offered?.Contains(negotiated) != true)
        {
            var presented = PeerText.Quote(ConfirmationProtocol.FromWire(negotiated));
            throw new HandshakeException(
                HandshakeFailure.PeerMisbehaved, new Rejection(RejectionReason.TlsProtocolViolation, "an application protocol that was offered", presented) { Rule = "RFC 7301 §3.1" });
        }
    }

    private static async ValueTask AuthenticateAsync(Task handshake, PeerJudge judge, HandshakeAttempt attempt)
    {
        try
        {
            await handshake.ConfigureAwait(false);
        }
        catch (AuthenticationException exception) when (judge.Verdict is CertificateVerdict.Rejected rejected)
        {
            // SslStream's words for our own verdict; the verdict itself says more.
            attempt.ClaimedName = rejected.ClaimedName;
            throw new HandshakeException(HandshakeFailure.PeerRejected, rejected.Rejection, exception);
        }
    }

    private async ValueTask<AuthenticatedTls> ConcludeAsync(HandshakeAttempt attempt, SslStream tls, PeerJudge judge, string? serverName)
    {
        var verdict = judge.JudgeIfCallbackWasSkipped(tls);
        var peer = (verdict as CertificateVerdict.Accepted)?.Peer;
        attempt.ClaimedName = peer?.Name ?? (verdict as CertificateVerdict.Rejected)?.ClaimedName;

        var negotiated = ConfirmationProtocol.FromWire(tls.NegotiatedApplicationProtocol);
        var confirms = ConfirmationProtocol.TryParse(negotiated, out var application);
        var objection = (verdict as CertificateVerdict.Rejected)?.Rejection
            ?? await _asyncStage.ExamineAsync(peer!, attempt.Token).ConfigureAwait(false)
            ?? await AdmitAsync(peer!, confirms, attempt.Token).ConfigureAwait(false);
        if (confirms)
        {
            await ConfirmAsync(attempt, tls, objection).ConfigureAwait(false);
        }
        else if (objection is not null)
        {
            throw new HandshakeException(HandshakeFailure.PeerRejected, objection);
        }
        else if (_options.Confirmation == ConfirmationPolicy.Required)
        {
            throw new HandshakeException(HandshakeFailure.NoAgreement, ConfirmationProtocol.Unavailable(negotiated is null ? [] : [negotiated]));
        }

        var version = tls.SslProtocol == SslProtocols.Tls13 ? TlsVersion.Tls13 : TlsVersion.Tls12;
        return new AuthenticatedTls(tls, peer!, new SessionFacts(version, tls.NegotiatedCipherSuite, confirms ? application : negotiated, serverName), confirms);
    }

    /// <summary>The trust source's last word. Not asked for a peer that will be turned away all the same, so that it is not kept as a known one.</summary>
    private ValueTask<Rejection?> AdmitAsync(AuthenticatedPeer peer, bool confirms, CancellationToken cancellationToken) =>
        confirms || _options.Confirmation != ConfirmationPolicy.Required
            ? _options.Trust.AdmitAsync(peer.Certificate, _options.TimeProvider.GetUtcNow(), _logger, cancellationToken)
            : default;

    /// <summary>Tells the peer our verdict and learns its own. Returns when both have accepted.</summary>
    private static async ValueTask ConfirmAsync(HandshakeAttempt attempt, SslStream tls, Rejection? objection)
    {
        if (objection is not null)
        {
            var answer = await RefuseAsync(attempt, tls, objection).ConfigureAwait(false);
            throw new HandshakeException(HandshakeFailure.PeerRejected, objection) { PeerReason = answer.Peer?.Refusal ?? TlsAlerts.FindPublicReason(answer.Fault) };
        }

        var (verdict, problem, fault) = await ConfirmationExchange.RunAsync(tls, Verdict.Accepted, attempt.Token).ConfigureAwait(false);
        if (fault is not null)
        {
            throw TlsFaults.ToOutcome(fault, attempt.Transport, weAreServer: attempt.PeerRole == PeerRole.Client);
        }

        if (problem is not null)
        {
            throw new HandshakeException(problem.Reason == RejectionReason.ConfirmationTruncated ? HandshakeFailure.TransportLost : HandshakeFailure.PeerMisbehaved, problem);
        }

        if (verdict?.Refusal is { } refusal)
        {
            var rejection = new Rejection(RejectionReason.RefusedByPeer, "the peer's acceptance", $"its refusal, {refusal.ToCode()}");
            throw new HandshakeException(HandshakeFailure.RefusedByPeer, rejection) { PeerReason = refusal };
        }
    }

    private static async ValueTask<PeerAnswer> RefuseAsync(HandshakeAttempt attempt, SslStream tls, Rejection objection)
    {
        // To a server that it has not accepted a client says no more than no: an impostor learns nothing of pins or names.
        var reason = attempt.PeerRole == PeerRole.Client ? PublicReasonTable.ForClient(objection.Reason) : PublicReason.Refused;
        try
        {
            return await ConfirmationExchange.RunAsync(tls, Verdict.Refused(reason), attempt.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The peer's own verdict did not come in time; ours stands.
            return default;
        }
    }
}
