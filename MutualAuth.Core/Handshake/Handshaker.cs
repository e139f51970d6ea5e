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
using MutualAuth.Expiry;
using MutualAuth.Hello;
using MutualAuth.Paths;
using MutualAuth.Platforms;
using MutualAuth.Telemetry;
using MutualAuth.Transport;
using MutualAuth.Validation;

namespace MutualAuth.Handshake;

/// <summary>Carries an attempt from TLS to a confirmed, authenticated stream. The only code that starts <c>SslStream</c>'s authentication.</summary>
internal sealed class Handshaker
{
    private const string Settings = "settings for TLS";

    private readonly HandshakeOptions _options;
    private readonly CertificateStage _stage;
    private readonly List<SslApplicationProtocol>? _offer; // as a client; never modified
    private readonly LoginServices _login;
    private readonly PeerAcceptance _acceptance;
    private readonly ILogger _logger;
    private volatile ServerSettings? _lastSettings; // nearly all clients of a server are met with the same
    private volatile ClientSettingsOf? _lastClientSettings; // many clients have one server

    internal Handshaker(HandshakeOptions options)
    {
        _options = options;
        _stage = new CertificateStage(options);
        _offer = ConfirmationProtocol.Offer(options.ApplicationProtocols, options.EffectiveConfirmation);
        _login = LoginServices.OverStore(options.RequiredCredentials, options.TimeProvider);
        _logger = MutualAuthTelemetry.CreateLogger(options.LoggerFactory);
        _acceptance = new PeerAcceptance(options, _stage, _login, _logger);
    }

    private Handshaker(Handshaker other, HandshakeOptions options)
    {
        _options = options;
        _stage = other._stage;
        _offer = ConfirmationProtocol.Offer(options.ApplicationProtocols, options.EffectiveConfirmation);
        _login = other._login;
        _logger = other._logger;
        _acceptance = other._acceptance;
        Sharing = other.Sharing;
    }

    /// <summary>The same, with the same stages and bounds, where the options differ in the application protocols alone.</summary>
    internal Handshaker Offering(HandshakeOptions options) => new(this, options);

    /// <summary>Logs what peers are likely to reject in the identities with which we start.</summary>
    internal void WarnOfOwnIdentity(IEnumerable<IIdentitySource> sources, PeerRole role)
    {
        if (!_options.AcknowledgedWarnings.HasFlag(ConfigurationWarnings.OwnIdentityDoubtful))
        {
            foreach (var problem in StartingIdentity.ProblemsOf(sources, role, _options.Trust as ITrustAnchorSource, _options.TimeProvider))
            {
                ValidationLog.OwnIdentityDoubtful(_logger, problem);
            }
        }
    }

    /// <summary>Logs what everybody must know of the platform, and refuses one that is more than was required.</summary>
    /// <exception cref="PlatformException">It is more, or cannot be told.</exception>
    internal void JudgePlatform(PeerRole role)
    {
        PlatformGate.WarnOfKeyLogging(_logger);
        PlatformGate.Require(_options, role, _logger);
    }

    /// <summary>Logs, as soon as it is known, whether the connections of a server share a TLS context.</summary>
    internal void AnnounceContext() => SharedContext.Announce(_logger);

    /// <summary>As a client: the servers for which a TLS context is shared.</summary>
    internal SharingServers Sharing { get; } = new();

    /// <summary>What judges peers, and judges them again.</summary>
    internal CertificateStage Stage => _stage;

    /// <summary>We are the server, and have read the client's hello.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal async ValueTask<AuthenticatedTls> AsServerAsync(HandshakeAttempt attempt, ClientHello hello, Identity identity)
    {
        attempt.Shown = identity.Alone;
        await PrepareTrustAsync(attempt).ConfigureAwait(false);
        var protocol = await HelloNegotiation.AgreeAsync(attempt, hello, _options).ConfigureAwait(false);
        var judge = attempt.Judge = new PeerValidationCallback(_stage, _options.TimeProvider, PeerRole.Client)
        { RemoteEndPoint = attempt.RemoteEndPoint };
        var tls = attempt.Tls = new GuardedSslStream(attempt.Transport) { Judge = judge };
        var settings = await ServerSettingsAsync(attempt, identity, protocol, SharedContext.Suits(_options, hello)).ConfigureAwait(false);
        attempt.Transport.FollowKeyExchange(_options.KeyExchange, isOurs: true);
        attempt.Transport.Hold();
        await attempt.Admission.EnterAsync().ConfigureAwait(false);
        await AuthenticateAsync(tls, settings, judge, attempt).ConfigureAwait(false);
        var verdict = await VerdictAsync(attempt, tls, judge).ConfigureAwait(false);
        var completed = new CompletedTls(tls, judge, verdict)
        {
            OwnServerCertificate = identity.Certificate,
            ServerName = hello.ServerName,
            KeyExchangeGroup = attempt.Transport.KeyExchangeGroup,
        };
        return await ConcludeAsync(attempt, completed).ConfigureAwait(false);
    }

    /// <summary>We are the client.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal async ValueTask<AuthenticatedTls> AsClientAsync(
        HandshakeAttempt attempt, ServerName? serverName, ImmutableArray<Identity> identities, bool judgeFirst)
    {
        attempt.Shown = identities;
        await PrepareTrustAsync(attempt).ConfigureAwait(false);
        var judge = attempt.Judge = new PeerValidationCallback(_stage, _options.TimeProvider, PeerRole.Server)
        { DialledName = serverName, RemoteEndPoint = attempt.RemoteEndPoint };
        attempt.Transport.FollowKeyExchange(_options.KeyExchange, isOurs: false);
        if (_options.EffectiveConfirmation != ConfirmationPolicy.Never)
        {
            attempt.Transport.Hold();
            if (!identities.IsEmpty)
            {
                attempt.Transport.BeforeFlight = judge;
            }
        }

        var tls = await StartAsClientAsync(attempt, serverName, identities, judgeFirst, judge).ConfigureAwait(false);
        RequireOffered(tls.NegotiatedApplicationProtocol, _offer);
        bool? asked = identities.IsEmpty ? null : judge.WasAskedForOurs || tls.LocalCertificate is not null;
        var verdict = await VerdictAsync(attempt, tls, judge).ConfigureAwait(false);
        var completed = new CompletedTls(tls, judge, verdict)
        {
            ServerName = serverName?.Dns?.ToString(),
            WeWereAsked = asked,
            OwnIdentity = asked == true ? ShownOf(identities, tls) : null,
            KeyExchangeGroup = attempt.Transport.KeyExchangeGroup,
        };
        var authenticated = await ConcludeAsync(attempt, completed).ConfigureAwait(false);
        Sharing.Learn(serverName, authenticated.IsConfirmed, authenticated.Session.TlsVersion, attempt.Transport.HasTakenSessions);
        return authenticated;
    }

    /// <summary>Which of several it was is what the platform says that it has sent.</summary>
    private static Identity? ShownOf(ImmutableArray<Identity> identities, GuardedSslStream tls) => identities.Length == 1
        ? identities[0]
        : FindShown(identities, tls);

    private static Identity? FindShown(ImmutableArray<Identity> identities, GuardedSslStream tls) =>
        identities.FirstOrDefault(identity => identity.PlatformCertificate.Equals(tls.LocalCertificate));

    /// <summary>TLS as the client, on the context of our identity where the server is known to give no sessions, else on one of its own.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<GuardedSslStream> StartAsClientAsync(
        HandshakeAttempt attempt, ServerName? serverName, ImmutableArray<Identity> identities, bool judgeFirst, PeerValidationCallback judge)
    {
        if (identities.Length == 1 && !judgeFirst && Sharing.Suits(_options, serverName))
        {
            attempt.Transport.OffersNoSession = true;
            try
            {
                await StartAsync(sharesContext: true).ConfigureAwait(false);
                return attempt.Tls!;
            }
            catch (HandshakeException) when (attempt.Transport.HasWithheldSession)
            {
                Sharing.GivesSessions(serverName!);
                attempt.Transport.Abandon(attempt.Tls!);
            }
        }

        await StartAsync(sharesContext: false).ConfigureAwait(false);
        return attempt.Tls!;

        ValueTask StartAsync(bool sharesContext)
        {
            var tls = attempt.Tls = new GuardedSslStream(attempt.Transport) { Judge = judge };
            return AuthenticateAsync(tls, ClientSettings(serverName, identities, judgeFirst, sharesContext, judge), judge, attempt);
        }
    }

    /// <summary>What TLS is told, which is the same for each connection to one server with one identity, and nothing to choose.</summary>
    private SslClientAuthenticationOptions ClientSettings(
        ServerName? serverName, ImmutableArray<Identity> identities, bool judgeFirst, bool sharesContext, PeerValidationCallback judge)
    {
        if (judgeFirst || identities.Length != 1)
        {
            return NewClientSettings(serverName, identities, judgeFirst, sharesContext, judge);
        }

        if (_lastClientSettings is not { } last || last.Identity != identities[0] || !Equals(last.Server, serverName)
            || last.SharesContext != sharesContext)
        {
            _lastClientSettings = last = new ClientSettingsOf(
                identities[0], serverName, sharesContext, NewClientSettings(serverName, identities, judgeFirst, sharesContext, judge));
        }

        return last.Settings;
    }

    private SslClientAuthenticationOptions NewClientSettings(
        ServerName? serverName, ImmutableArray<Identity> identities, bool judgeFirst, bool sharesContext, PeerValidationCallback judge)
    {
        try
        {
            return TlsSettings.ForClient(_options, serverName, _offer, identities, judgeFirst, sharesContext, judge);
        }
        catch (Exception exception)
        {
            throw ApplicationCalls.Fault(Settings, exception);
        }
    }

    /// <summary>What TLS is told, which is the same for each client with the same protocol, as long as our identity is.</summary>
    private ValueTask<SslServerAuthenticationOptions> ServerSettingsAsync(
        HandshakeAttempt attempt, Identity identity, string? protocol, bool sharesContext)
    {
        // With the names of our anchors in them, the settings ask trust for these.
        if (_options.AcceptableIssuerBytes > 0)
        {
            return AskForServerSettingsAsync(attempt, identity, protocol, sharesContext);
        }

        if (_lastSettings is not { } last || last.Identity != identity || last.Protocol != protocol || last.SharesContext != sharesContext)
        {
            _lastSettings = last = new ServerSettings(identity, protocol, sharesContext, NewServerSettings(identity, protocol, sharesContext));
        }

        return ValueTask.FromResult(last.Settings);
    }

    private SslServerAuthenticationOptions NewServerSettings(Identity identity, string? protocol, bool sharesContext) =>
        ApplicationCalls.Ask(Settings, () => TlsSettings.ForServer(_options, identity, protocol, sharesContext));

    private ValueTask<SslServerAuthenticationOptions> AskForServerSettingsAsync(
        HandshakeAttempt attempt, Identity identity, string? protocol, bool sharesContext) =>
        attempt.AskAsync(Settings, () => ValueTask.FromResult(TlsSettings.ForServer(_options, identity, protocol, sharesContext)));

    private ValueTask PrepareTrustAsync(HandshakeAttempt attempt) =>
        _options.Trust is ITrustAnchorSource ? default : AskForTrustAsync(attempt); // anchors have nothing to prepare

    private async ValueTask AskForTrustAsync(HandshakeAttempt attempt) => await attempt.AskAsync("trust that is up to date", async () =>
    {
        await _options.Trust.PrepareAsync(_logger, attempt.Token).ConfigureAwait(false);
        return true;
    }).ConfigureAwait(false);

    /// <summary>The TLS engine takes whatever protocol a server names; only one that was offered counts (RFC 7301 §3.1).</summary>
    private static void RequireOffered(SslApplicationProtocol negotiated, List<SslApplicationProtocol>? offered)
    {
        if (!negotiated.Protocol.IsEmpty && offered?.Contains(negotiated) != true)
        {
            var presented = SafeText.Quote(ConfirmationProtocol.FromWire(negotiated));
            throw new HandshakeException(
                HandshakeFailure.PeerMisbehaved,
                new Rejection(RejectionReason.TlsProtocolViolation, "an application protocol that was offered", presented)
                { Rule = "RFC 7301 §3.1" });
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private static async ValueTask AuthenticateAsync(GuardedSslStream tls, object settings, PeerValidationCallback judge, HandshakeAttempt attempt)
    {
        try
        {
            await attempt.RunEngineAsync(tls, settings, judge).ConfigureAwait(false);
            attempt.Transport.EndHandshake();
        }
        catch (Exception exception)
            when (judge.Verdict is CertificateVerdict.Rejected rejected && (exception is AuthenticationException || attempt.Transport.HasWithheld))
        {
            // SslStream's words for our own verdict; the verdict itself says more.
            attempt.ClaimedName = rejected.ClaimedName;
            throw new HandshakeException(PeerAcceptance.FailureOf(rejected.Rejection), rejected.Rejection, exception);
        }
        catch (Exception exception) when (exception is not (HandshakeException or OperationCanceledException))
        {
            // Whatever the engine throws while it works on what the peer sent, of whichever type.
            throw TlsFaults.ToOutcome(exception, attempt.Transport, attempt.OurRole, attempt.Options);
        }
    }

    /// <summary>
    /// TLS is complete. What the peer needs of our last flight goes out when it may, and the peer is accepted, or the reason thrown.
    /// </summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<AuthenticatedTls> ConcludeAsync(HandshakeAttempt attempt, CompletedTls tls)
    {
        attempt.Admission.WorkIsDone();

        // It has been judged as it passed; whatever did not show there is not allowed either.
        if (_options.KeyExchange.Examine(tls.KeyExchangeGroup) is { } objection)
        {
            throw new HandshakeException(HandshakeFailure.NoAgreement, objection);
        }

        attempt.ClaimedName = tls.Peer?.Name ?? (tls.Verdict as CertificateVerdict.Rejected)?.ClaimedName;

        // Our certificate is in the last flight of a client: where no verdict follows, the flight is held until every check has accepted the server.
        var keepsFlight = !tls.Confirms && attempt.OurRole == PeerRole.Client;
        if (!keepsFlight && (!tls.Confirms || !_options.AsyncValidators.IsEmpty))
        {
            // No verdict of ours follows at once that the flight could travel with.
            await attempt.Transport.ReleaseAsync(attempt.Token).ConfigureAwait(false);
        }

        var channel = tls.ToChannelFacts();
        var step = _acceptance.Decide(attempt.OurRole, tls);
        var (peer, transcript) = await _acceptance.TakeAsync(step, attempt, tls, channel.EndPoint).ConfigureAwait(false);
        if (keepsFlight)
        {
            await attempt.Transport.ReleaseAsync(attempt.Token).ConfigureAwait(false);
        }

        return new AuthenticatedTls(tls.Stream, peer, tls.ToSessionFacts(), tls.Confirms)
        {
            Transport = attempt.Transport,
            Channel = channel.With(transcript),
            Finished = FinishedMessage.Read(tls.Stream),
            Login = _login,
            Options = _options,
            Shown = attempt.Shown,
            OwnIdentity = tls.OwnIdentity,
            Id = attempt.Id,
            Audit = attempt.Audit,
        };
    }

    /// <summary>The verdict of the certificate stage, which is asked here if the platform never called back.</summary>
    private static ValueTask<CertificateVerdict> VerdictAsync(HandshakeAttempt attempt, GuardedSslStream tls, PeerValidationCallback judge) =>
        judge.Verdict is { } verdict ? ValueTask.FromResult(verdict) : AskForVerdictAsync(attempt, tls, judge);

    private static ValueTask<CertificateVerdict> AskForVerdictAsync(
        HandshakeAttempt attempt, GuardedSslStream tls, PeerValidationCallback judge) =>
        attempt.AskAsync("a judgement of the peer", () => ValueTask.FromResult(judge.JudgeIfCallbackWasSkipped(tls)));

    private sealed record ServerSettings(Identity Identity, string? Protocol, bool SharesContext, SslServerAuthenticationOptions Settings);

    private sealed record ClientSettingsOf(Identity Identity, ServerName? Server, bool SharesContext, SslClientAuthenticationOptions Settings);
}
