using System.Collections.Immutable;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using MutualAuth.Certificates;
using MutualAuth.Confirmation;
using MutualAuth.Credentials;
using MutualAuth.Errors;
using MutualAuth.Evidence;
using MutualAuth.Hello;
using MutualAuth.Paths;
using MutualAuth.Transport;
using MutualAuth.Validation;

namespace MutualAuth.Handshake;

/// <summary>Carries an attempt from TLS to a confirmed, authenticated stream. The only code that starts <c>SslStream</c>'s authentication.</summary>
internal sealed class Handshaker
{
    private readonly HandshakeOptions _options;
    private readonly CertificateStage _stage;
    private readonly AsyncPeerValidation _asyncStage;
    private readonly List<SslApplicationProtocol>? _offer; // as a client; never changed
    private readonly LoginServices _login;
    private readonly ILogger _logger;

    internal Handshaker(HandshakeOptions options)
    {
        _options = options;
        _stage = new CertificateStage(options);
        _offer = ConfirmationProtocol.Offer(options.ApplicationProtocols, options.EffectiveConfirmation);
        _login = LoginServices.OverStore(options.RequiredCredentials, options.TimeProvider);
        _logger = MutualAuthTelemetry.CreateLogger(options.LoggerFactory);
        _asyncStage = new AsyncPeerValidation(
            options.AsyncValidators,
            options.MaxConcurrentAsyncValidations,
            options.AsyncValidatorTimeout,
            options.TimeProvider,
            _logger);
    }

    /// <summary>What judges peers, and judges them again.</summary>
    internal CertificateStage Stage => _stage;

    /// <summary>We are the server, and have read the client's hello.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal async ValueTask<AuthenticatedTls> AsServerAsync(HandshakeAttempt attempt, ClientHello hello, Identity identity)
    {
        await PrepareTrustAsync(attempt).ConfigureAwait(false);
        var protocol = await HelloNegotiation.AgreeAsync(attempt, hello, _options).ConfigureAwait(false);
        var judge = new PeerValidationCallback(_stage, _options.TimeProvider, PeerRole.Client) { RemoteEndPoint = attempt.RemoteEndPoint };
        var tls = attempt.Tls = new GuardedSslStream(attempt.Transport);
        // With the names of our anchors in them, the settings ask trust for these.
        var settings = _options.NamesAcceptableIssuers
            ? await attempt.AskAsync("settings for TLS", () => ValueTask.FromResult(TlsSettings.ForServer(_options, identity, protocol, judge)))
                .ConfigureAwait(false)
            : ApplicationCalls.Ask("settings for TLS", () => TlsSettings.ForServer(_options, identity, protocol, judge));
        attempt.Transport.Hold();
        await attempt.Gate.EnterAsync().ConfigureAwait(false);
        await AuthenticateAsync(() => tls.AuthenticateAsServerAsync(settings, attempt.Token), judge, attempt).ConfigureAwait(false);
        return await ConcludeAsync(attempt, tls, judge, identity.Certificate, hello.ServerName).ConfigureAwait(false);
    }

    /// <summary>We are the client.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal async ValueTask<AuthenticatedTls> AsClientAsync(HandshakeAttempt attempt, ServerName? serverName, ImmutableArray<Identity> identities, bool judgeFirst)
    {
        await PrepareTrustAsync(attempt).ConfigureAwait(false);
        var judge = new PeerValidationCallback(_stage, _options.TimeProvider, PeerRole.Server) { DialledName = serverName, RemoteEndPoint = attempt.RemoteEndPoint };
        var tls = attempt.Tls = new GuardedSslStream(attempt.Transport);
        var settings = ApplicationCalls.Ask("settings for TLS", () => TlsSettings.ForClient(_options, serverName, _offer, identities, judgeFirst, judge));
        if (_options.EffectiveConfirmation != ConfirmationPolicy.Never)
        {
            attempt.Transport.Hold();
            if (!identities.IsEmpty)
            {
                attempt.Transport.BeforeFlight = flight => MayAnswer(flight, judge);
            }
        }

        await AuthenticateAsync(() => tls.AuthenticateAsClientAsync(settings, attempt.Token), judge, attempt).ConfigureAwait(false);
        RequireOffered(tls.NegotiatedApplicationProtocol, settings.ApplicationProtocols);
        bool? asked = identities.IsEmpty ? null : judge.WasAskedForOurs || tls.LocalCertificate is not null;
        return await ConcludeAsync(attempt, tls, judge, null, serverName?.Dns?.ToString(), asked).ConfigureAwait(false);
    }

    /// <summary>
    /// Whether our certificate may leave, in TLS 1.2, where the engine sends it before it has the server judged; null while that cannot be said.
    /// Where the verdict is to be told in band, TLS has to be complete first.
    /// </summary>
    private static bool? MayAnswer(byte[] flight, PeerValidationCallback judge) =>
        Tls12ServerFlight.TryRead(flight, out var protocol, out var certificates) ? ConfirmationProtocol.TryParse(protocol, out _) || judge.AcceptsShown(certificates) : null;

    private ValueTask PrepareTrustAsync(HandshakeAttempt attempt)
    {
        return _options.Trust is ITrustAnchorSource ? default : AskAsync(); // anchors have nothing to prepare

        async ValueTask AskAsync() => await attempt.AskAsync("trust that is up to date", async () =>
        {
            await _options.Trust.PrepareAsync(_logger, attempt.Token).ConfigureAwait(false);
            return true;
        }).ConfigureAwait(false);
    }

    /// <summary>The TLS engine takes whatever protocol a server names; only one that was offered counts (RFC 7301 §3.1).</summary>
    private static void RequireOffered(SslApplicationProtocol negotiated, List<SslApplicationProtocol>? offered)
    {
        if (!negotiated.Protocol.IsEmpty && offered?.Contains(negotiated) != true)
        {
            var presented = SafeText.Quote(ConfirmationProtocol.FromWire(negotiated));
            throw new HandshakeException(
                HandshakeFailure.PeerMisbehaved, new Rejection(RejectionReason.TlsProtocolViolation, "an application protocol that was offered", presented) { Rule = "RFC 7301 §3.1" });
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private static async ValueTask AuthenticateAsync(Func<Task> authenticate, PeerValidationCallback judge, HandshakeAttempt attempt)
    {
        try
        {
            await attempt.RunEngineAsync(authenticate, judge).ConfigureAwait(false);
            attempt.Transport.StopHolding();
        }
        catch (Exception exception) when (judge.Verdict is CertificateVerdict.Rejected rejected && (exception is AuthenticationException || attempt.Transport.HasWithheld))
        {
            // SslStream's words for our own verdict; the verdict itself says more.
            attempt.ClaimedName = rejected.ClaimedName;
            throw new HandshakeException(FailureOf(rejected.Rejection), rejected.Rejection, exception);
        }
        catch (Exception exception) when (exception is not (HandshakeException or OperationCanceledException))
        {
            // Whatever the engine throws while it works on what the peer sent, of whichever type.
            throw TlsFaults.ToOutcome(exception, attempt.Transport, weAreServer: attempt.PeerRole == PeerRole.Client);
        }
    }

    /// <summary>A no that says nothing of the peer, because judging itself failed, is on our own account.</summary>
    private static HandshakeFailure FailureOf(Rejection objection) => objection.IsOurFault ? HandshakeFailure.OurFault : HandshakeFailure.PeerRejected;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<AuthenticatedTls> ConcludeAsync(HandshakeAttempt attempt, GuardedSslStream tls, PeerValidationCallback judge, Certificate? serverCertificate, string? serverName, bool? asked = null)
    {
        var verdict = judge.Verdict
            ?? await attempt.AskAsync("a judgement of the peer", () => ValueTask.FromResult(judge.JudgeIfCallbackWasSkipped(tls)))
                .ConfigureAwait(false);
        attempt.Gate.WorkIsDone();
        var peer = (verdict as CertificateVerdict.Accepted)?.Peer;
        attempt.ClaimedName = peer?.Name ?? (verdict as CertificateVerdict.Rejected)?.ClaimedName;

        var negotiated = ConfirmationProtocol.FromWire(tls.NegotiatedApplicationProtocol);
        var confirms = ConfirmationProtocol.TryParse(negotiated, out var application);
        var channel = new ChannelFacts(serverCertificate ?? peer?.Certificate);
        var keepsOurs = !confirms && attempt.PeerRole == PeerRole.Server;
        if (!keepsOurs && (!confirms || !_options.AsyncValidators.IsEmpty))
        {
            // No verdict of ours follows at once that our last flight could travel with.
            await attempt.Transport.ReleaseAsync(attempt.Token).ConfigureAwait(false);
        }

        var transcript = ImmutableArray<byte>.Empty;
        var objection = IsLeftToLogin(judge, confirms) ? null : (verdict as CertificateVerdict.Rejected)?.Rejection ?? ObjectionToNotBeingAsked(confirms, asked);
        if (objection is null && confirms && attempt.PeerRole == PeerRole.Client && _options.RequiredCredentials.LetsUsersIn)
        {
            (peer, transcript) = await LetLogInAsync(attempt, tls, judge.Evidence!, peer, channel.EndPoint).ConfigureAwait(false);
        }
        else
        {
            objection ??= await ExamineAsync(attempt, peer!, confirms).ConfigureAwait(false);
            if (objection is null && confirms && _options.OwnCredentials is { } credentials)
            {
                (peer, transcript) = await LogInAsync(attempt, tls, credentials, peer!, channel.EndPoint).ConfigureAwait(false);
            }
            else
            {
                await ConcludeWithoutLoginAsync(attempt, tls, confirms, negotiated, objection).ConfigureAwait(false);
            }
        }

        if (keepsOurs)
        {
            // Not before the server has been accepted by everybody who has a say: our certificate is in it.
            await attempt.Transport.ReleaseAsync(attempt.Token).ConfigureAwait(false);
        }

        var version = tls.SslProtocol == SslProtocols.Tls13 ? TlsVersion.Tls13 : TlsVersion.Tls12;
        var facts = new SessionFacts(version, tls.NegotiatedCipherSuite, confirms ? application : negotiated, serverName) { OwnCertificateRequested = asked };
        return new AuthenticatedTls(tls, peer!, facts, confirms)
        {
            Transport = attempt.Transport,
            Channel = channel.With(transcript),
            Login = _login,
            Options = _options,
        };
    }

    /// <summary>
    /// A client that showed nothing is judged by its login where that suffices. One that showed a certificate is judged by that in any case.
    /// </summary>
    private bool IsLeftToLogin(PeerValidationCallback judge, bool confirms) =>
        confirms && judge.Evidence is { Role: PeerRole.Client, Certificates.IsEmpty: true } && _options.RequiredCredentials is { LetsUsersIn: true, NeedsCertificate: false };

    private Rejection? ObjectionToNotBeingAsked(bool confirms, bool? asked) => confirms || asked != false || _options.AllowsServersThatAskForNothing
        ? null
        : new Rejection(RejectionReason.ServerAskedForNoCertificate, "a request for our certificate, or a server that confirms", "neither")
        {
            Rule = "RFC 8446 §4.3.2",
            Hint = "The server does not know who we are: have it ask clients for certificates.",
        };

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ConcludeWithoutLoginAsync(HandshakeAttempt attempt, SslStream tls, bool confirms, string? negotiated, Rejection? objection)
    {
        if (confirms)
        {
            await ConfirmAsync(attempt, tls, objection, _options.TimeProvider).ConfigureAwait(false);
        }
        else if (objection is not null)
        {
            throw new HandshakeException(FailureOf(objection), objection);
        }
        else if (_options.EffectiveConfirmation == ConfirmationPolicy.Required)
        {
            throw new HandshakeException(HandshakeFailure.NoAgreement, ConfirmationProtocol.Unavailable(negotiated is null ? [] : [negotiated]));
        }
    }

    /// <summary>What may need others to be judged: the asynchronous validators, and then the trust source's last word.</summary>
    private async ValueTask<Rejection?> ExamineAsync(HandshakeAttempt attempt, AuthenticatedPeer peer, bool confirms) =>
        await _asyncStage.ExamineAsync(peer, attempt.Token).ConfigureAwait(false) ?? await AdmitAsync(attempt, peer, confirms).ConfigureAwait(false);

    private async ValueTask<(AuthenticatedPeer Peer, ImmutableArray<byte> Transcript)> LetLogInAsync(
        HandshakeAttempt attempt, SslStream tls, PeerEvidence evidence, AuthenticatedPeer? certifiedPeer, ChannelBinding? binding)
    {
        using var channel = new LoginChannel(tls, attempt.Token);
        var context = new SaslServerContext(_options.RequiredCredentials, _login, binding, certifiedPeer, attempt.RemoteEndPoint);
        var result = await LoginExchange.AsServerAsync(
            channel, _options.RequiredCredentials, context, evidence, peer => ExamineAsync(attempt, peer, confirms: true), _logger, attempt.Token)
                .ConfigureAwait(false);
        return Outcome(attempt, result);
    }

    private async ValueTask<(AuthenticatedPeer Peer, ImmutableArray<byte> Transcript)> LogInAsync(
        HandshakeAttempt attempt, SslStream tls, ClientCredentials credentials, AuthenticatedPeer server, ChannelBinding? binding)
    {
        using var channel = new LoginChannel(tls, attempt.Token);
        return Outcome(attempt, await LoginExchange.AsClientAsync(channel, credentials, server, binding, asked => attempt.Asked = asked, _logger,
            attempt.Token).ConfigureAwait(false));
    }

    private static (AuthenticatedPeer Peer, ImmutableArray<byte> Transcript) Outcome(HandshakeAttempt attempt, LoginResult result)
    {
        if (result.Objection is { } objection)
        {
            throw new HandshakeException(FailureOf(objection), objection) { PeerReason = result.Answer.Peer?.Refusal };
        }

        ThrowUnlessAccepted(attempt, result.Answer);
        return (result.Peer!, result.Transcript);
    }

    /// <summary>
    /// The trust source's final decision. Not asked about a peer that is rejected for another reason, so that the peer is not stored as known.
    /// </summary>
    private ValueTask<Rejection?> AdmitAsync(HandshakeAttempt attempt, AuthenticatedPeer peer, bool confirms) =>
        _options.Trust is not ITrustAnchorSource && peer.Certificate is { } certificate && (confirms
            || _options.EffectiveConfirmation != ConfirmationPolicy.Required)
            ? attempt.AskAsync("trust's last word", () => _options.Trust.AdmitAsync(certificate, _options.TimeProvider.GetUtcNow(), _logger,
                attempt.Token))
            : default;

    /// <summary>Tells the peer our verdict and learns its own. Returns when both have accepted.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private static async ValueTask ConfirmAsync(HandshakeAttempt attempt, SslStream tls, Rejection? objection, TimeProvider time)
    {
        if (objection is not null)
        {
            var answer = await RefuseAsync(attempt, tls, objection, time).ConfigureAwait(false);
            throw new HandshakeException(FailureOf(objection), objection) { PeerReason = answer.Peer?.Refusal ?? TlsAlerts.FindPublicReason(answer.Fault) };
        }

        ThrowUnlessAccepted(attempt, await ConfirmationExchange.RunAsync(tls, Verdict.Accepted, attempt.Token).ConfigureAwait(false));
    }

    private static void ThrowUnlessAccepted(HandshakeAttempt attempt, PeerAnswer answer)
    {
        var (verdict, problem, fault) = answer;
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

    private static async ValueTask<PeerAnswer> RefuseAsync(HandshakeAttempt attempt, SslStream tls, Rejection objection, TimeProvider time)
    {
        // To a server that it has not accepted a client says no more than no: an impostor learns nothing of pins or names.
        var reason = attempt.PeerRole == PeerRole.Client ? PublicReasonTable.ForClient(objection.Reason) : PublicReason.Refused;
        // A peer that we have rejected does not decide how long that takes.
        using var patience = LingeringClose.ForAMoment(time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, attempt.Token);
        try
        {
            return await ConfirmationExchange.RunAsync(tls, Verdict.Refused(reason), either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The peer's own verdict did not come in time; ours stands.
            return default;
        }
    }
}
