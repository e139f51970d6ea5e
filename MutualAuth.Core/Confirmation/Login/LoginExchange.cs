using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using MutualAuth.Credentials;
using MutualAuth.Errors;
using MutualAuth.Evidence;
using MutualAuth.Telemetry;
using MutualAuth.Validation;

namespace MutualAuth.Confirmation;

/// <summary>The result of the credential stage: a peer, or the reason why there is none.</summary>
internal sealed record LoginResult
{
    /// <summary>The peer with everything that it has proven.</summary>
    internal AuthenticatedPeer? Peer { get; private init; }

    /// <summary>The digest of the exchange; empty when there was no login.</summary>
    internal ImmutableArray<byte> Transcript { get; private init; } = [];

    /// <summary>Our own rejection. The other side has been told.</summary>
    internal Rejection? Objection { get; private init; }

    /// <summary>The verdict of the other side.</summary>
    internal PeerAnswer Answer { get; private init; }

    /// <summary>What the server said of our token when it refused us.</summary>
    internal TokenError? TokenError { get; init; }

    internal static LoginResult Accepted(AuthenticatedPeer peer, ImmutableArray<byte> transcript) => new() { Peer = peer, Transcript = transcript };

    internal static LoginResult Rejected(Rejection objection, PublicReason? peerReason = null) =>
        new() { Objection = objection, Answer = new PeerAnswer(peerReason is { } reason ? Verdict.Refused(reason) : null) };

    /// <summary>The other side refused, broke the protocol, or disconnected.</summary>
    internal static LoginResult Ended(LoginFrame frame) =>
        new() { Answer = new PeerAnswer(frame.IsRefusal ? frame.Verdict : null, frame.Problem, frame.Fault) };

    internal static LoginResult Ended(Exception fault) => new() { Answer = new PeerAnswer(null, Fault: fault) };
}

/// <summary>
/// The credential stage on the wire (docs/protocol.md §12): LOGIN, MECHANISMS, START, CHALLENGE and RESPONSE, OUTCOME, and the client's
/// final VERDICT.
/// </summary>
internal static class LoginExchange
{
    private const string OurCredentials = "credentials to log in with";

    /// <summary>For the server, when it has no objection to the client's certificate.</summary>
    /// <param name="channel">The stream.</param>
    /// <param name="policy">The requirements.</param>
    /// <param name="context">The facts about the connection for the mechanisms.</param>
    /// <param name="evidence">The evidence that the client presented.</param>
    /// <param name="examine">Judges the complete peer after everything else has been accepted.</param>
    /// <param name="logger">Where faults are logged.</param>
    /// <param name="cancellationToken">The deadline.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal static async ValueTask<LoginResult> AsServerAsync(
        LoginChannel channel,
        CredentialPolicy policy,
        SaslServerContext context,
        PeerEvidence evidence,
        Func<AuthenticatedPeer, ValueTask<(Rejection? Objection, AuthenticatedPeer Peer)>> examine,
        ILogger logger,
        CancellationToken cancellationToken)
    {
        var first = await channel.ReadAsync(FrameType.Verdict, FrameType.Login).ConfigureAwait(false);
        if (first.Type == FrameType.Verdict && !first.IsRefusal)
        {
            return await WithoutLoginAsync(channel, policy, context.CertifiedPeer, examine).ConfigureAwait(false);
        }

        if (first.Type != FrameType.Login)
        {
            return LoginResult.Ended(first);
        }

        var session = new SaslServerSession(policy, context, logger);
        await using var sessionDisposal = session.ConfigureAwait(false);
        if (session.Offered.IsEmpty)
        {
            var objection = new Rejection(RejectionReason.ChannelBindingUnavailable, "a mechanism that can be offered on this connection", "none")
            {
                Hint = "The server's certificate has no channel binding, or the mechanisms need a client certificate that was not shown.",
            };
            return await RefuseAsync(channel, objection).ConfigureAwait(false);
        }

        await channel.WriteAsync(FrameType.Mechanisms, LoginChannel.MechanismsPayload(session.Offered)).ConfigureAwait(false);
        var (success, ended) = await ConverseAsync(channel, session, cancellationToken).ConfigureAwait(false);
        if (success is null)
        {
            return ended!;
        }

        var user = session.ToUser(success);
        var (objectionToAll, peer) = await examine(AuthenticatedPeer.WithUser(context.CertifiedPeer, evidence, user)).ConfigureAwait(false);
        if (objectionToAll is { } no)
        {
            return await RefuseAsync(channel, no, user.Proofs.HasFlag(PeerProofs.Password)).ConfigureAwait(false);
        }

        await channel.WriteAsync(FrameType.Outcome, LoginChannel.OutcomePayload(Verdict.Accepted, success.AdditionalData)).ConfigureAwait(false);
        var last = await channel.ReadAsync(FrameType.Verdict).ConfigureAwait(false);
        return last.Type == FrameType.Verdict && !last.IsRefusal ? LoginResult.Accepted(peer, channel.TakeTranscript()) : LoginResult.Ended(last);
    }

    /// <summary>For the client, when it has accepted the server's certificate.</summary>
    /// <param name="channel">The stream.</param>
    /// <param name="credentials">The credentials to log in with.</param>
    /// <param name="server">The server.</param>
    /// <param name="binding">The channel binding of the login; null for none.</param>
    /// <param name="own">What we have shown; null for nothing.</param>
    /// <param name="asks">Called with a description of the application code that is about to be called, and with null when it has returned.</param>
    /// <param name="logger">Where faults are logged.</param>
    /// <param name="cancellationToken">Cancelled when the attempt has ended.</param>
    internal static async ValueTask<LoginResult> AsClientAsync(
        LoginChannel channel, ClientCredentials credentials, AuthenticatedPeer server, ChannelBinding? binding, Identity? own, Action<string?> asks,
        ILogger logger, CancellationToken cancellationToken)
    {
        await channel.WriteAsync(FrameType.Login, default).ConfigureAwait(false);
        var first = await channel.ReadAsync(FrameType.Verdict, FrameType.Mechanisms, FrameType.Outcome).ConfigureAwait(false);
        if (first.Type == FrameType.Verdict && !first.IsRefusal)
        {
            return await LeaveAsync(
                channel,
                new Rejection(RejectionReason.CredentialsNotAsked, "a server that offers a login", "one that does not")).ConfigureAwait(false);
        }

        if (first.Type != FrameType.Mechanisms)
        {
            return first.Type == FrameType.Outcome && !first.IsRefusal
                ? await LeaveAsync(channel, OutOfOrder("the mechanisms", "an outcome")).ConfigureAwait(false)
                : LoginResult.Ended(first);
        }

        if (LoginChannel.ReadMechanisms(first.Payload) is not { } offered)
        {
            return await LeaveAsync(channel, OutOfOrder("1 to 32 names of mechanisms", "something else")).ConfigureAwait(false);
        }

        using var chain = new SaslClientChain(credentials, server, binding, own);
        try
        {
            return await LogInAsync(channel, chain, offered, server, asks, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            CredentialLog.LoginFaulted(logger, CredentialLog.Describe(exception));
            var fault = new Rejection(
                RejectionReason.CredentialCheckFaulted, "credentials to log in with", $"an exception, {exception.GetType().Name}");
            return await LeaveAsync(channel, fault).ConfigureAwait(false);
        }
    }

    /// <summary>The client does not log in, like every client that supports the confirmation protocol alone.</summary>
    private static async ValueTask<LoginResult> WithoutLoginAsync(
        LoginChannel channel,
        CredentialPolicy policy,
        AuthenticatedPeer? certifiedPeer,
        Func<AuthenticatedPeer, ValueTask<(Rejection? Objection, AuthenticatedPeer Peer)>> examine)
    {
        var (objection, peer) = policy.NeedsUser || certifiedPeer is null
            ? (new Rejection(RejectionReason.CredentialsRequired, "a client that logs in", "one that does not")
            { Hint = $"Set {nameof(Credentials)} on the client, with {nameof(Login)}." }, certifiedPeer)
            : await examine(certifiedPeer).ConfigureAwait(false);
        if (objection is not null)
        {
            await channel.WriteLastAsync(Verdict.Refused(PublicReasonTable.ForClient(objection.Reason))).ConfigureAwait(false);
            return LoginResult.Rejected(objection);
        }

        return await channel.WriteLastAsync(Verdict.Accepted).ConfigureAwait(false) is { } fault
            ? LoginResult.Ended(fault)
            : LoginResult.Accepted(peer!, []);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<(SaslServerStep.Succeeded? Success, LoginResult? Ended)> ConverseAsync(
        LoginChannel channel, SaslServerSession session, CancellationToken cancellationToken)
    {
        var frame = await channel.ReadAsync(FrameType.Start, FrameType.Verdict).ConfigureAwait(false);
        while (frame.Type is FrameType.Start or FrameType.Response)
        {
            var answer = await StepAsync(session, frame, cancellationToken).ConfigureAwait(false);
            if (answer is SaslServerStep.Succeeded success)
            {
                return (success, null);
            }

            if (answer is SaslServerStep.Failed failed)
            {
                return (null, await RefuseAsync(channel, failed.Rejection, failed.IsToldAsWrong, failed.IsToldAlike)
                    .ConfigureAwait(false));
            }

            var isNext = answer is SaslServerStep.Advanced;
            var (type, payload) = isNext
                ? (FrameType.Next, LoginChannel.NextPayload(answer.AdditionalData, session.Offered))
                : (FrameType.Challenge, answer.Message);
            await channel.WriteAsync(type, payload).ConfigureAwait(false);
            frame = await channel.ReadAsync(isNext ? FrameType.Start : FrameType.Response, FrameType.Verdict).ConfigureAwait(false);
        }

        // The client may leave by a refusal; an acceptance in the middle of the exchange is invalid.
        return (null, frame.Type == FrameType.Verdict && !frame.IsRefusal
            ? await RefuseAsync(channel, OutOfOrder("the next message of the exchange", "a verdict")).ConfigureAwait(false)
            : LoginResult.Ended(frame));
    }

    private static async ValueTask<SaslServerStep> StepAsync(SaslServerSession session, LoginFrame frame, CancellationToken cancellationToken)
    {
        try
        {
            return frame.Type == FrameType.Response
                ? await session.ContinueAsync(frame.Payload, cancellationToken).ConfigureAwait(false)
                : LoginChannel.ReadStart(frame.Payload) is var (mechanism, message)
                    ? await session.StartAsync(mechanism, message, cancellationToken).ConfigureAwait(false)
                    : SaslServerStep.Fail(OutOfOrder("a mechanism's name and its first message", "something else"));
        }
        finally
        {
            // It may be a password; it is wiped even after the deadline.
            CryptographicOperations.ZeroMemory(frame.Payload);
        }
    }

    private static async ValueTask<LoginResult> LogInAsync(
        LoginChannel channel,
        SaslClientChain chain,
        ImmutableArray<string> offered,
        AuthenticatedPeer server,
        Action<string?> asks,
        CancellationToken cancellationToken)
    {
        if (await StartAsync(channel, chain, offered, asks, cancellationToken).ConfigureAwait(false) is { } cannot)
        {
            return cannot;
        }

        while (true)
        {
            var frame = await channel.ReadAsync(FrameType.Challenge, FrameType.Outcome, FrameType.Verdict, FrameType.Next).ConfigureAwait(false);
            if (frame.Type == FrameType.Challenge)
            {
                asks(OurCredentials);
                var step = await chain.StepAsync(frame.Payload, cancellationToken).ConfigureAwait(false);
                asks(null);
                if (step.Objection is not null)
                {
                    return await LeaveAsync(channel, step.Objection).ConfigureAwait(false);
                }

                await channel.WriteAsync(FrameType.Response, step.Message).ConfigureAwait(false);
                continue;
            }

            if (frame.Type == default || frame.IsRefusal)
            {
                return LoginResult.Ended(frame) with { TokenError = chain.TokenError };
            }

            if (frame.Type == FrameType.Next)
            {
                if (await GoOnAsync(channel, chain, frame.Payload, asks, cancellationToken).ConfigureAwait(false) is { } left)
                {
                    return left;
                }

                continue;
            }

            if (frame.Type == FrameType.Verdict || !LoginChannel.TryReadOutcome(frame.Payload, out var additionalData))
            {
                return await LeaveAsync(channel, OutOfOrder("an outcome", "something else")).ConfigureAwait(false);
            }

            return chain.Complete(additionalData) is { } objection
                ? await LeaveAsync(channel, objection).ConfigureAwait(false)
                : await EndAsync(channel, chain, server).ConfigureAwait(false);
        }
    }

    /// <summary>The server asks for one more exchange. It is believed only if it has proven what the finished one makes it prove.</summary>
    /// <returns>Null when the next exchange has begun.</returns>
    private static async ValueTask<LoginResult?> GoOnAsync(
        LoginChannel channel, SaslClientChain chain, byte[] payload, Action<string?> asks, CancellationToken cancellationToken)
    {
        if (LoginChannel.ReadNext(payload) is not var (additionalData, offered))
        {
            return await LeaveAsync(channel, OutOfOrder("a last message and 1 to 32 names of mechanisms", "something else")).ConfigureAwait(false);
        }

        return chain.Complete(additionalData) is { } objection
            ? await LeaveAsync(channel, objection).ConfigureAwait(false)
            : await StartAsync(channel, chain, offered, asks, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Begins an exchange.</summary>
    /// <returns>Null when it has begun.</returns>
    private static async ValueTask<LoginResult?> StartAsync(
        LoginChannel channel, SaslClientChain chain, ImmutableArray<string> offered, Action<string?> asks, CancellationToken cancellationToken)
    {
        asks(OurCredentials);
        var (mechanism, first, objection) = await chain.StartAsync(offered, cancellationToken).ConfigureAwait(false);
        asks(null);
        if (objection is not null)
        {
            return await LeaveAsync(channel, objection).ConfigureAwait(false);
        }

        var start = LoginChannel.StartPayload(mechanism!, first);
        await channel.WriteAsync(FrameType.Start, start).ConfigureAwait(false);
        CryptographicOperations.ZeroMemory(start);
        return null;
    }

    /// <summary>The server has accepted, and is believed: only our own verdict makes the call succeed.</summary>
    private static async ValueTask<LoginResult> EndAsync(LoginChannel channel, SaslClientChain chain, AuthenticatedPeer server) =>
        await channel.WriteLastAsync(Verdict.Accepted).ConfigureAwait(false) is { } fault
            ? LoginResult.Ended(fault)
            : LoginResult.Accepted(server.WithServerProofs(chain.ServerProofs), channel.TakeTranscript());

    /// <param name="channel">The stream.</param>
    /// <param name="objection">The reason.</param>
    /// <param name="isToldAsWrong">The password was right. A client that is rejected is not told so: it may have been a guess.</param>
    /// <param name="isToldAlike">It is told like a wrong password, whatever it is.</param>
    private static async ValueTask<LoginResult> RefuseAsync(
        LoginChannel channel, Rejection objection, bool isToldAsWrong = false, bool isToldAlike = false)
    {
        var told = PublicReasonTable.ForClient(objection.Reason);
        if (isToldAlike || (isToldAsWrong && told is not (PublicReason.InternalError or PublicReason.TryAgainLater)))
        {
            told = PublicReason.CredentialsWrong;
        }

        await channel.WriteAsync(FrameType.Outcome, LoginChannel.OutcomePayload(Verdict.Refused(told), null)).ConfigureAwait(false);
        return LoginResult.Rejected(objection);
    }

    /// <summary>A client that leaves sends no detailed reason.</summary>
    private static async ValueTask<LoginResult> LeaveAsync(LoginChannel channel, Rejection objection)
    {
        await channel.WriteLastAsync(Verdict.Refused(PublicReason.Refused)).ConfigureAwait(false);
        return LoginResult.Rejected(objection);
    }

    private static Rejection OutOfOrder(string expected, string presented) =>
        new(RejectionReason.CredentialProtocolViolated, expected, presented) { Rule = "docs/protocol.md §12" };
}
