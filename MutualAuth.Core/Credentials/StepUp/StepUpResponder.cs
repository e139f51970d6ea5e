using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using MutualAuth.Confirmation;
using MutualAuth.Telemetry;

namespace MutualAuth.Credentials;

/// <summary>
/// The client's side of a step-up or a re-authentication: confirms one transaction, as this side understands it, or that the user is still there.
/// </summary>
/// <remarks>
/// Give it each message of the server's, and send what it returns, until <see cref="IsOver"/>. Messages are opaque and may hold a password or a
/// token: do not log them. Made by the connection, used by one thread at a time, and disposed of by its owner.
/// </remarks>
public sealed class StepUpResponder : IDisposable
{
    private readonly SaslClientChain _chain;
    private readonly Func<string, bool> _mayBeFirst;
    private readonly ILogger _logger;
    private bool _hasStarted;
    private int _busy;
    private bool _isDisposed;

    internal StepUpResponder(
        ClientCredentials credentials, AuthenticatedPeer server, ChannelBinding? binding, Identity? own, Func<string, bool> mayBeFirst,
        ILogger logger)
    {
        _chain = new SaslClientChain(credentials, server, binding, own, isStepUp: true);
        _mayBeFirst = mayBeFirst;
        _logger = logger;
    }

    /// <summary>The mechanisms that the server offers in the exchange that runs: the factors that it wants. Empty before its first message.</summary>
    public ImmutableArray<string> Offered { get; private set; } = [];

    /// <summary>Whether the server has accepted, and has proven what our mechanisms make it prove.</summary>
    public bool IsConfirmed { get; private set; }

    /// <summary>Why we do not go on, or do not believe the server; null while all is well.</summary>
    public Rejection? Rejection { get; private set; }

    /// <summary>The server's reason, when it has refused; otherwise null.</summary>
    public PublicReason? PeerReason { get; private set; }

    /// <summary>Whether it is over, one way or the other.</summary>
    public bool IsOver => IsConfirmed || Rejection is not null;

    /// <summary>Takes the server's next message.</summary>
    /// <param name="message">The message, whatever the server sent.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What to send to the server; null when there is nothing to send, because it is over.</returns>
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
            return await TakeAsync(message, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            CredentialLog.LoginFaulted(_logger, CredentialLog.Describe(exception));
            return Leave(new Rejection(
                RejectionReason.CredentialCheckFaulted, "credentials to answer with", $"an exception, {exception.GetType().Name}"));
        }
        finally
        {
            Volatile.Write(ref _busy, 0);
        }
    }

    /// <summary>Wipes what it holds.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        _chain.Dispose();
    }

    private async ValueTask<byte[]?> TakeAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        var frame = _hasStarted
            ? StepUpMessage.Read(message.Span, FrameType.Challenge, FrameType.Next, FrameType.Outcome)
            : StepUpMessage.Read(message.Span, FrameType.Mechanisms, FrameType.Outcome);
        switch (frame.Type)
        {
            case FrameType.Mechanisms:
                _hasStarted = true;
                return LoginChannel.ReadMechanisms(frame.Payload) is { } first
                    ? await StartAsync([.. first.Where(_mayBeFirst)], cancellationToken).ConfigureAwait(false)
                    : Leave(StepUpMessage.Malformed("something else than 1 to 32 names of mechanisms"));

            case FrameType.Challenge:
                var step = await _chain.StepAsync(frame.Payload, cancellationToken).ConfigureAwait(false);
                return step.Objection is null ? StepUpMessage.Of(FrameType.Response, step.Message.Span) : Leave(step.Objection);

            case FrameType.Next:
                if (LoginChannel.ReadNext(frame.Payload) is not var (finished, offered))
                {
                    return Leave(StepUpMessage.Malformed("something else than a last message and 1 to 32 names of mechanisms"));
                }

                return _chain.Complete(finished) is { } unproven
                    ? Leave(unproven)
                    : await StartAsync(offered, cancellationToken).ConfigureAwait(false);

            case FrameType.Outcome when frame.IsRefusal:
                PeerReason = frame.Verdict.Refusal;
                Rejection = new Rejection(
                    RejectionReason.RefusedByPeer, "the server's acceptance", $"its refusal, {frame.Verdict.Refusal!.Value.ToCode()}");
                return null;

            case FrameType.Outcome when _hasStarted && LoginChannel.TryReadOutcome(frame.Payload, out var additionalData):
                Rejection = _chain.Complete(additionalData);
                IsConfirmed = Rejection is null;
                return null;

            case FrameType.Outcome:
                return Leave(StepUpMessage.Malformed("an acceptance out of turn, or one that cannot be read"));

            default:
                return Leave(StepUpMessage.Malformed(frame.Problem!.Presented));
        }
    }

    private async ValueTask<byte[]> StartAsync(ImmutableArray<string> offered, CancellationToken cancellationToken)
    {
        Offered = offered;
        var (mechanism, first, objection) = await _chain.StartAsync(offered, cancellationToken).ConfigureAwait(false);
        return objection is null ? StepUpMessage.Of(FrameType.Start, LoginChannel.StartPayload(mechanism!, first)) : Leave(objection);
    }

    private byte[] Leave(Rejection rejection)
    {
        Rejection = rejection;
        return StepUpMessage.Leave();
    }
}
