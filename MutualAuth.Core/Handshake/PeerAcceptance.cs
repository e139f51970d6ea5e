using System.Collections.Immutable;
using System.Runtime.CompilerServices;
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

/// <summary>From complete TLS to an accepted peer: decides what is left to do, and does it. It only ever throws or returns the peer.</summary>
internal sealed class PeerAcceptance
{
    private static readonly Rejection s_notAsked = new(
        RejectionReason.ServerAskedForNoCertificate, "a request for our certificate, or a server that confirms", "neither")
    {
        Rule = "RFC 8446 §4.3.2",
        Hint = "The server does not know who we are: have it ask clients for certificates.",
    };

    private readonly HandshakeOptions _options;
    private readonly CertificateStage _stage;
    private readonly AsyncPeerValidation _asyncStage;
    private readonly LoginServices _login;
    private readonly ILogger _logger;

    internal PeerAcceptance(HandshakeOptions options, CertificateStage stage, LoginServices login, ILogger logger)
    {
        _stage = stage;
        _options = options;
        _login = login;
        _logger = logger;
        _asyncStage = new AsyncPeerValidation(
            options.AsyncValidators,
            options.MaxConcurrentAsyncValidations,
            options.AsyncValidatorTimeout,
            options.TimeProvider,
            logger);
    }

    /// <summary>What is left to do about the peer. Pure.</summary>
    internal NextStep Decide(PeerRole ourRole, CompletedTls tls)
    {
        var awaitsLogin = tls.Confirms && ourRole == PeerRole.Server && _options.RequiredCredentials.LetsUsersIn;
        return tls.Verdict switch
        {
            CertificateVerdict.Rejected when awaitsLogin && MayLogInWithoutCertificate(tls.Evidence) => new NextStep.AwaitLogin(null),
            CertificateVerdict.Rejected rejected => new NextStep.Refuse(rejected.Rejection),
            CertificateVerdict.Accepted { Peer: var peer } => DecideOnAccepted(peer, awaitsLogin, tls),
            _ => throw new InvalidOperationException("A verdict accepts or rejects."),
        };
    }

    /// <summary>Takes the step. Returns the accepted peer, and the digest of the login, which is empty without a login.</summary>
    /// <exception cref="HandshakeException">One of the two sides rejects the other.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal async ValueTask<(AuthenticatedPeer Peer, ImmutableArray<byte> LoginTranscript)> TakeAsync(
        NextStep step, HandshakeAttempt attempt, CompletedTls tls, ChannelBinding? binding)
    {
        switch (step)
        {
            case NextStep.Refuse refuse:
                throw await RefuseAsync(attempt, tls, refuse.Objection).ConfigureAwait(false);

            case NextStep.AwaitLogin login:
                return await AwaitLoginAsync(attempt, tls, login.CertifiedPeer, binding).ConfigureAwait(false);

            case NextStep.LogIn logIn:
                var server = await ExamineAsync(attempt, tls, logIn.Server).ConfigureAwait(false);
                return await LogInAsync(attempt, tls, logIn with { Server = server }, binding).ConfigureAwait(false);

            case NextStep.Confirm confirm:
                var confirmed = await ExamineAsync(attempt, tls, confirm.Peer).ConfigureAwait(false);
                RequireAcceptance(attempt, await ConfirmationExchange.RunAsync(tls.Stream, Verdict.Accepted, attempt.Token).ConfigureAwait(false));
                return (confirmed, []);

            case NextStep.AcceptUnconfirmed accept:
                return (await ExamineAsync(attempt, tls, accept.Peer).ConfigureAwait(false), []);

            default:
                throw new InvalidOperationException("There is no other step.");
        }
    }

    private NextStep DecideOnAccepted(AuthenticatedPeer peer, bool awaitsLogin, CompletedTls tls)
    {
        if (awaitsLogin)
        {
            return new NextStep.AwaitLogin(peer);
        }

        if (tls.Confirms)
        {
            return _options.OwnCredentials is { } credentials ? new NextStep.LogIn(peer, credentials) : new NextStep.Confirm(peer);
        }

        return tls.WeWereAsked == false && !_options.AllowsServersThatAskForNothing
            ? new NextStep.Refuse(s_notAsked)
            : new NextStep.AcceptUnconfirmed(peer);
    }

    /// <summary>
    /// A client that showed nothing is judged by its login where that suffices. One that showed a certificate is judged by that in any case.
    /// </summary>
    private bool MayLogInWithoutCertificate(PeerEvidence evidence) => evidence.Certificates.IsEmpty && !_options.RequiredCredentials.NeedsCertificate;

    /// <summary>
    /// Asks the checks that may wait for other services: the asynchronous validators, then the trust source. Their rejection is reported like any
    /// other.
    /// </summary>
    /// <returns>The peer, with what the validators say of it.</returns>
    private async ValueTask<AuthenticatedPeer> ExamineAsync(HandshakeAttempt attempt, CompletedTls tls, AuthenticatedPeer peer)
    {
        var (objection, known) = await JudgeAsync(attempt, tls, peer).ConfigureAwait(false);
        return objection is null ? known : throw await RefuseAsync(attempt, tls, objection).ConfigureAwait(false);
    }

    private async ValueTask<(Rejection? Objection, AuthenticatedPeer Peer)> JudgeAsync(
        HandshakeAttempt attempt, CompletedTls tls, AuthenticatedPeer peer)
    {
        var (objection, leases) = await _asyncStage.ExamineAsync(peer, attempt.Token).ConfigureAwait(false);
        if (objection is null)
        {
            peer = leases.IsEmpty ? peer : peer.WithLeases(leases);
            objection = _stage.ExamineFacts(ref peer, _options.TimeProvider.GetUtcNow());
        }

        if (objection is null)
        {
            RequireConfirmation(tls);
        }

        // Last of what may refuse without a trace, so that no peer that is rejected all the same takes a place.
        objection ??= TakePlace(attempt, peer);
        objection ??= await AdmitAsync(attempt, peer).ConfigureAwait(false)
            ?? await RecordAsync(attempt, tls, peer).ConfigureAwait(false);
        return (objection, peer);
    }

    private Rejection? TakePlace(HandshakeAttempt attempt, AuthenticatedPeer peer)
    {
        if (_options.LimitsOfSessions is not { } limits)
        {
            return null;
        }

        var objection = limits.TryTake(peer, out var place);
        attempt.Session = place;
        return objection;
    }

    /// <summary>
    /// The trust source's answer. It is not asked about a peer that is rejected all the same, so that it does not keep it as a known one.
    /// </summary>
    private ValueTask<Rejection?> AdmitAsync(HandshakeAttempt attempt, AuthenticatedPeer peer) =>
        _options.Trust is not ITrustAnchorSource && peer.Certificate is { } certificate ? AskTrustAsync(attempt, certificate) : default;

    private ValueTask<Rejection?> AskTrustAsync(HandshakeAttempt attempt, Certificate certificate) => attempt.AskAsync(
        "the trust source's answer",
        () => _options.Trust.AdmitAsync(certificate, _options.TimeProvider.GetUtcNow(), _logger, attempt.Token));

    /// <summary>Last of all: who is accepted is recorded before anybody is told so, and who cannot be recorded is not accepted.</summary>
    private static async ValueTask<Rejection?> RecordAsync(HandshakeAttempt attempt, CompletedTls tls, AuthenticatedPeer peer)
    {
        if (attempt.Audit is not { } audit)
        {
            return null;
        }

        attempt.Asked = "an entry for the auditor";
        var objection = await HandshakeEvents.AcceptAsync(audit, attempt, peer, tls.ToSessionFacts(), tls.Confirms).ConfigureAwait(false);
        attempt.Asked = null;
        return objection;
    }

    /// <summary>Tells a peer that confirms our no, and learns its verdict. Returns what to throw.</summary>
    private async ValueTask<HandshakeException> RefuseAsync(HandshakeAttempt attempt, CompletedTls tls, Rejection objection)
    {
        if (!tls.Confirms)
        {
            return new HandshakeException(FailureOf(objection), objection);
        }

        var answer = await TellAsync(attempt, tls, objection).ConfigureAwait(false);
        return new HandshakeException(FailureOf(objection), objection)
        { PeerReason = answer.Peer?.Refusal ?? TlsAlerts.FindPublicReason(answer.Fault) };
    }

    private async ValueTask<PeerAnswer> TellAsync(HandshakeAttempt attempt, CompletedTls tls, Rejection objection)
    {
        // To a server that it has not accepted a client says no more than no: an impostor learns nothing of pins or names.
        var reason = attempt.OurRole == PeerRole.Server ? PublicReasonTable.ForClient(objection.Reason) : PublicReason.Refused;
        // A peer that we have rejected does not decide how long that takes.
        using var patience = LingeringClose.ForAMoment(_options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, attempt.Token);
        try
        {
            return await ConfirmationExchange.RunAsync(tls.Stream, Verdict.Refused(reason), either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The peer's own verdict did not come in time; ours stands.
            return default;
        }
    }

    /// <summary>Before anything remembers the peer as an accepted one: known peers, session limits, the auditor.</summary>
    private void RequireConfirmation(CompletedTls tls)
    {
        if (!tls.Confirms && _options.EffectiveConfirmation == ConfirmationPolicy.Required)
        {
            var presented = tls.NegotiatedProtocol is { } protocol ? new[] { protocol } : [];
            throw new HandshakeException(HandshakeFailure.NoAgreement, ConfirmationProtocol.Unavailable([.. presented]));
        }
    }

    private async ValueTask<(AuthenticatedPeer Peer, ImmutableArray<byte> LoginTranscript)> AwaitLoginAsync(
        HandshakeAttempt attempt, CompletedTls tls, AuthenticatedPeer? certifiedPeer, ChannelBinding? binding)
    {
        using var channel = new LoginChannel(tls.Stream, attempt.Token);
        var context = new SaslServerContext(_options.RequiredCredentials, _login, binding, certifiedPeer, attempt.RemoteEndPoint);
        var result = await LoginExchange.AsServerAsync(
            channel, _options.RequiredCredentials, context, tls.Evidence, peer => JudgeAsync(attempt, tls, peer), _logger, attempt.Token)
            .ConfigureAwait(false);
        return RequireSuccess(attempt, result);
    }

    private async ValueTask<(AuthenticatedPeer Peer, ImmutableArray<byte> LoginTranscript)> LogInAsync(
        HandshakeAttempt attempt, CompletedTls tls, NextStep.LogIn logIn, ChannelBinding? binding)
    {
        using var channel = new LoginChannel(tls.Stream, attempt.Token);
        var result = await LoginExchange.AsClientAsync(
            channel, logIn.Credentials, logIn.Server, binding, tls.OwnIdentity, asked => attempt.Asked = asked, _logger, attempt.Token)
            .ConfigureAwait(false);
        return RequireSuccess(attempt, result);
    }

    private static (AuthenticatedPeer Peer, ImmutableArray<byte> LoginTranscript) RequireSuccess(HandshakeAttempt attempt, LoginResult result)
    {
        if (result.Objection is { } objection)
        {
            throw new HandshakeException(FailureOf(objection), objection) { PeerReason = result.Answer.Peer?.Refusal };
        }

        RequireAcceptance(attempt, result.Answer, result.TokenError);
        return (result.Peer!, result.Transcript);
    }

    private static void RequireAcceptance(HandshakeAttempt attempt, PeerAnswer answer, TokenError? tokenError = null)
    {
        var (verdict, problem, fault) = answer;
        if (fault is not null)
        {
            throw TlsFaults.ToOutcome(fault, attempt.Transport, attempt.OurRole, attempt.Options);
        }

        if (problem is not null)
        {
            var isCut = problem.Reason == RejectionReason.ConfirmationTruncated;
            throw new HandshakeException(isCut ? HandshakeFailure.TransportLost : HandshakeFailure.PeerMisbehaved, problem);
        }

        if (verdict?.Refusal is { } refusal)
        {
            var rejection = new Rejection(RejectionReason.RefusedByPeer, "the peer's acceptance", $"its refusal, {refusal.ToCode()}")
            {
                Hint = tokenError is not null
                    ? tokenError.Describe()
                    : attempt.OurRole == PeerRole.Client ? TlsFaults.HintForRefusedClient(refusal, attempt.Options) : null,
            };
            throw new HandshakeException(HandshakeFailure.RefusedByPeer, rejection) { PeerReason = refusal, TokenError = tokenError };
        }
    }

    /// <summary>A no that says nothing of the peer, because judging itself failed, is on our own account.</summary>
    internal static HandshakeFailure FailureOf(Rejection objection) =>
        objection.IsOurFault ? HandshakeFailure.OurFault : HandshakeFailure.PeerRejected;
}
