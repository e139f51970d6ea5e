using Microsoft.Extensions.Logging;
using MutualAuth.Errors;

namespace MutualAuth.Credentials;

/// <summary>
/// The server's side of a step-up: a fresh SASL exchange whose messages travel in the application's own, bound to the connection and to one
/// transaction.
/// </summary>
/// <remarks>
/// Only the <c>-PLUS</c> mechanisms can do that; others are not offered. It is made by the connection, used by one thread at a time, and
/// disposed of by its owner.
/// Refusals count with the attempt limiter like those at the handshake.
/// </remarks>
public sealed class StepUpVerifier : IAsyncDisposable
{
    private readonly SaslServerSession _session;
    private readonly AuthenticatedUser _user;
    private readonly byte[] _transaction;
    private readonly TimeProvider _time;
    private bool _hasStarted;

    internal StepUpVerifier(
        CredentialPolicy policy,
        LoginServices services,
        ChannelFacts channel,
        AuthenticatedPeer peer,
        ReadOnlySpan<byte> transaction,
        TimeProvider time,
        ILogger logger)
    {
        _user = peer.User!;
        _transaction = transaction.ToArray();
        _time = time;
        var strict = policy with { ChannelBinding = ChannelBindingPolicy.Required };
        _session = new SaslServerSession(
            strict,
            new SaslServerContext(strict, services, StepUpBinding.Of(channel, transaction), peer, peer.RemoteEndPoint) { OnlyUser = _user.Name },
            logger,
            static name => name.EndsWith(ScramMechanisms.Plus, StringComparison.Ordinal));
    }

    /// <summary>The mechanisms that the client may use, to be sent to it.</summary>
    public IReadOnlyList<string> Mechanisms => _session.Offered;

    /// <summary>The proof, once there is one.</summary>
    public StepUpProof? Proof { get; private set; }

    /// <summary>Why there will be none; null as long as there may be. It is not for the client.</summary>
    public Rejection? Rejection { get; private set; }

    /// <summary>Whether it is over, one way or the other.</summary>
    public bool IsOver => Proof is not null || Rejection is not null;

    /// <summary>Takes the client's next message.</summary>
    /// <param name="mechanism">The mechanism that the client has chosen; looked at with its first message only.</param>
    /// <param name="message">The message.</param>
    /// <param name="cancellationToken">Abandons the step-up.</param>
    /// <returns>What to send to the client, also with the good news; null when it has been refused.</returns>
    /// <exception cref="InvalidOperationException">It is over.</exception>
    public async ValueTask<byte[]?> ContinueAsync(string mechanism, ReadOnlyMemory<byte> message, CancellationToken cancellationToken = default)
    {
        if (IsOver)
        {
            throw new InvalidOperationException("The step-up is over.");
        }

        var step = message.Length > SaslLimits.MaxMessageLength
            ? SaslServerStep.Fail(RejectionReason.CredentialProtocolViolated, $"at most {SaslLimits.MaxMessageLength} octets", $"{message.Length}")
            : _hasStarted
                ? await _session.ContinueAsync(message, cancellationToken).ConfigureAwait(false)
                : await _session.StartAsync(mechanism, message, cancellationToken).ConfigureAwait(false);
        _hasStarted = true;
        switch (step)
        {
            case SaslServerStep.Challenged challenge:
                return challenge.Message.ToArray();

            // No other user may confirm this user's transaction, and this user may not confirm it in another's name.
            case SaslServerStep.Succeeded success
                when _session.ToUser(success) is var user && IsSame(user.Name, _user.Name) && IsSame(user.ActsAs, _user.ActsAs):
                Proof = new StepUpProof(user, _transaction, _time.GetUtcNow());
                return success.AdditionalData?.ToArray() ?? [];

            case SaslServerStep.Succeeded success:
                Rejection = new Rejection(RejectionReason.StepUpMismatch, Describe(_user), Describe(_session.ToUser(success)));
                return null;

            default:
                Rejection = ((SaslServerStep.Failed)step).Rejection is { Reason: RejectionReason.ChannelBindingMismatch } mismatch
                    ? new Rejection(RejectionReason.StepUpMismatch, "the transaction and the connection that we mean", "another")
                    { Rule = mismatch.Rule }
                    : ((SaslServerStep.Failed)step).Rejection;
                return null;
        }
    }

    /// <summary>Wipes its secrets; an unfinished exchange is abandoned.</summary>
    public ValueTask DisposeAsync() => _session.DisposeAsync();

    private static bool IsSame(string left, string right) => string.Equals(left, right, StringComparison.Ordinal);

    private static string Describe(AuthenticatedUser user) => $"{user}, acting as {SafeText.Quote(user.ActsAs)}";
}
