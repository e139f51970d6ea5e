using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using MutualAuth.Confirmation;
using MutualAuth.Errors;
using MutualAuth.Evidence;
using MutualAuth.Telemetry;

namespace MutualAuth.Credentials;

/// <summary>
/// The server's side of a step-up or a re-authentication: the user shows its credentials once more, in messages that the application carries.
/// </summary>
/// <remarks>
/// <para>Send <see cref="FirstMessage"/>, and then what <see cref="AnswerAsync"/> returns for each message of the client, until
/// <see cref="IsOver"/>. A message has at most 17,414 octets and is opaque: it may hold a password or a token, so do not log it. The conversation has
/// at most three exchanges of eight messages each, and must be over <see cref="TimeLimit"/> after it began.</para>
/// <para>Made by the connection, used by one thread at a time, and disposed of by its owner; an unfinished one is abandoned without consequences.
/// Refusals count with the attempt limiter like those at the handshake, and do not end the connection.</para>
/// </remarks>
public sealed class StepUpVerifier : IAsyncDisposable
{
    /// <summary>How long a conversation may take.</summary>
    public static readonly TimeSpan TimeLimit = TimeSpan.FromMinutes(5);

    private readonly SaslServerSession _session;
    private readonly byte[]? _transaction;
    private readonly TimeProvider _time;
    private readonly Func<AuthenticatedUser, Rejection?>? _renew;
    private readonly AuthenticatedPeer _peer;
    private readonly ILogger _logger;
    private readonly StepUpRecord _record;
    private readonly long _begun;
    private FrameType _expected = FrameType.Start;
    private int _busy;
    private bool _isDisposed;

    /// <param name="policy">The server's policy.</param>
    /// <param name="services">What all logins share.</param>
    /// <param name="peer">The connection's peer, whose user is asked.</param>
    /// <param name="binding">What the exchanges are bound to; null where the server's certificate has no binding.</param>
    /// <param name="terms">What must be reached.</param>
    /// <param name="transaction">The transaction; null in a re-authentication.</param>
    /// <param name="renew">In a re-authentication: has the connection rely on the user as it is now; says why it cannot.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where faults are logged.</param>
    /// <param name="record">Tells the auditor.</param>
    internal StepUpVerifier(
        CredentialPolicy policy,
        LoginServices services,
        AuthenticatedPeer peer,
        ChannelBinding? binding,
        StepUpTerms terms,
        byte[]? transaction,
        Func<AuthenticatedUser, Rejection?>? renew,
        TimeProvider time,
        ILogger logger,
        StepUpRecord record)
    {
        _record = record;
        _transaction = transaction;
        _renew = renew;
        _time = time;
        _peer = peer;
        _logger = logger;
        _begun = time.GetTimestamp();
        var strict = policy with { ChannelBinding = ChannelBindingPolicy.Required };
        var context = new SaslServerContext(strict, services, binding, peer.WithoutUser(), peer.RemoteEndPoint)
        { User = peer.User, IsStepUp = true };
        _session = new SaslServerSession(strict, context, logger, terms);
        if (_session.Offered.IsEmpty)
        {
            Rejection = new Rejection(
                RejectionReason.MechanismUnavailable, $"a mechanism by which {terms.Factors} can be proven on this connection", "none")
            { Hint = "The first exchange of a step-up must be bound to the channel: offer a -PLUS mechanism." };
            Note();
            FirstMessage = StepUpMessage.Refusal(Rejection);
            return;
        }

        FirstMessage = StepUpMessage.Of(FrameType.Mechanisms, LoginChannel.MechanismsPayload(_session.Offered));
    }

    /// <summary>The message to send first.</summary>
    public ReadOnlyMemory<byte> FirstMessage { get; }

    /// <summary>The mechanisms that the client may use in the exchange that is to come, or runs.</summary>
    public IReadOnlyList<string> Mechanisms => _session.Offered;

    /// <summary>The user as it was proven now, with the proofs of this conversation; null until it has succeeded.</summary>
    public AuthenticatedUser? User { get; private set; }

    /// <summary>The proof of a step-up, once there is one; always null in a re-authentication, which confirms no transaction.</summary>
    public StepUpProof? Proof { get; private set; }

    /// <summary>Why it has failed; null as long as it has not. It is not for the client.</summary>
    public Rejection? Rejection { get; private set; }

    /// <summary>Whether it is over, one way or the other.</summary>
    public bool IsOver => User is not null || Rejection is not null;

    /// <summary>Takes the client's next message.</summary>
    /// <param name="message">The message, whatever the client sent.</param>
    /// <param name="cancellationToken">Abandons the conversation, which is over then.</param>
    /// <returns>What to send to the client, also when it is over; null when the client has left and expects nothing.</returns>
    /// <exception cref="InvalidOperationException">It is over, or another message is being taken.</exception>
    /// <exception cref="ObjectDisposedException">It has been disposed of.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async ValueTask<byte[]?> AnswerAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (IsOver || Interlocked.Exchange(ref _busy, 1) != 0)
        {
            throw new InvalidOperationException(IsOver ? "The step-up is over." : "Another message is being taken.");
        }

        try
        {
            return await TakeInTimeAsync(message, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Note();
            Volatile.Write(ref _busy, 0);
        }
    }

    /// <summary>Wipes its secrets; an unfinished exchange is abandoned.</summary>
    public ValueTask DisposeAsync()
    {
        _isDisposed = true;
        return _session.DisposeAsync();
    }

    private async ValueTask<byte[]?> TakeInTimeAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        var left = TimeLimit - _time.GetElapsedTime(_begun);
        if (left <= TimeSpan.Zero)
        {
            return Refuse(TooLate());
        }

        using var deadline = new CancellationTokenSource(left, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            return await TakeAsync(message, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            // What was begun may still run: nothing more is taken.
            Rejection = cancellationToken.IsCancellationRequested
                ? new Rejection(RejectionReason.CredentialCheckFaulted, "a verdict on the credentials", "a cancellation")
                : TooLate();
            cancellationToken.ThrowIfCancellationRequested();
            return StepUpMessage.Refusal(Rejection);
        }
    }

    private async ValueTask<byte[]?> TakeAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        var frame = StepUpMessage.Read(message.Span, _expected, FrameType.Verdict);
        if (frame.Problem is not null)
        {
            return Refuse(new Rejection(RejectionReason.CredentialProtocolViolated, frame.Problem.Expected, frame.Problem.Presented)
            { Rule = "docs/protocol.md §12.3" });
        }

        if (frame.Type == FrameType.Verdict)
        {
            // The client may leave by a refusal; to accept is not its turn.
            if (!frame.IsRefusal)
            {
                return Refuse(StepUpMessage.Malformed("a verdict"));
            }

            Rejection = new Rejection(RejectionReason.RefusedByPeer, "the next message of the exchange", "the client's refusal");
            return null;
        }

        SaslServerStep step;
        try
        {
            step = frame.Type == FrameType.Response
                ? await _session.ContinueAsync(frame.Payload, cancellationToken).ConfigureAwait(false)
                : LoginChannel.ReadStart(frame.Payload) is var (mechanism, first)
                    ? await _session.StartAsync(mechanism, first, cancellationToken).ConfigureAwait(false)
                    : SaslServerStep.Fail(StepUpMessage.Malformed("a START that names no mechanism"));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(frame.Payload);
        }

        _expected = step is SaslServerStep.Advanced ? FrameType.Start : FrameType.Response;
        return step switch
        {
            SaslServerStep.Challenged => StepUpMessage.Of(FrameType.Challenge, step.Message.Span),
            SaslServerStep.Advanced => StepUpMessage.Of(FrameType.Next, LoginChannel.NextPayload(step.AdditionalData, _session.Offered)),
            SaslServerStep.Succeeded success => await AcceptAsync(success, cancellationToken).ConfigureAwait(false),
            SaslServerStep.Failed failed => Refuse(Explain(failed.Rejection), failed.IsToldAsWrong || failed.IsToldAlike),
            _ => throw new InvalidOperationException("There is no other step."),
        };
    }

    private async ValueTask<byte[]> AcceptAsync(SaslServerStep.Succeeded success, CancellationToken cancellationToken)
    {
        var user = _session.ToUser(success);
        if (_record.AcceptAsync is { } record && await record(user, cancellationToken).ConfigureAwait(false) is { } notRecorded)
        {
            return Refuse(notRecorded);
        }

        if (_renew?.Invoke(user) is { } objection)
        {
            return Refuse(objection);
        }

        Proof = _transaction is null ? null : new StepUpProof(user, _transaction, _time);
        User = user;
        return StepUpMessage.Of(FrameType.Outcome, LoginChannel.OutcomePayload(Verdict.Accepted, success.AdditionalData));
    }

    private byte[] Refuse(Rejection rejection, bool isToldAsWrong = false)
    {
        Rejection = rejection;
        return StepUpMessage.Refusal(
            isToldAsWrong ? new Rejection(RejectionReason.CredentialsWrong, rejection.Expected, rejection.Presented) : rejection);
    }

    private void Note()
    {
        if (Rejection is not null)
        {
            CredentialLog.StepUpFailed(
                _logger,
                _transaction is null ? "re-authentication" : "step-up",
                $"{_peer.User}",
                EndPointText.Of(_peer.RemoteEndPoint) ?? "none",
                Rejection,
                _record.ConnectionId);
            _record.Refused?.Invoke(Rejection);
        }
    }

    private static Rejection Explain(Rejection rejection) => rejection is { Reason: RejectionReason.ChannelBindingMismatch }
        ? new Rejection(RejectionReason.StepUpMismatch, "the transaction and the connection that we mean", "another") { Rule = rejection.Rule }
        : rejection;

    private static Rejection TooLate() =>
        new(RejectionReason.StepUpTimedOut, $"the end of the conversation within {TimeLimit}", "none");
}
