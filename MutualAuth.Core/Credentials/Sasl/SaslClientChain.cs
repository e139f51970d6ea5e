using System.Collections.Immutable;
using MutualAuth.Errors;
using MutualAuth.Validation;

namespace MutualAuth.Credentials;

/// <summary>All exchanges of one login at the client, whatever carries the messages.</summary>
/// <param name="credentials">What to log in with.</param>
/// <param name="server">The server, which has been accepted.</param>
/// <param name="binding">The channel binding; null for none.</param>
/// <param name="own">What we have shown on the connection; null for nothing.</param>
/// <param name="isStepUp">Whether the user has logged in already: then a second factor may be shown in the first exchange, where it binds.</param>
internal sealed class SaslClientChain(
    ClientCredentials credentials, AuthenticatedPeer server, ChannelBinding? binding, Identity? own, bool isStepUp = false)
    : IDisposable
{
    private SaslClientSession? _session;
    private int _exchanges;

    /// <summary>What the server has proven in the exchanges that are complete.</summary>
    internal PeerProofs ServerProofs { get; private set; }

    /// <summary>What the server said of our token before it refused us; null when it said nothing that is well-formed.</summary>
    internal TokenError? TokenError => _session?.TokenError;

    /// <summary>Begins the next exchange with the first of our mechanisms that the server offers.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    internal async ValueTask<(string? Mechanism, ReadOnlyMemory<byte>? Message, Rejection? Objection)> StartAsync(
        ImmutableArray<string> offered, CancellationToken cancellationToken)
    {
        if (++_exchanges > SaslLimits.MaxExchanges)
        {
            return (null, null, new Rejection(RejectionReason.CredentialProtocolViolated, $"at most {SaslLimits.MaxExchanges} exchanges", "one more")
            { Rule = "docs/protocol.md §12.6" });
        }

        Dispose();
        var (session, objection) = await TaskWaits.RunOrLeaveAsync(
            () => ValueTask.FromResult(Begin(offered)), cancellationToken, static late => late.Session?.Dispose()).ConfigureAwait(false);
        if (session is null)
        {
            return (null, null, objection);
        }

        _session = session;
        return (session.Mechanism, await session.StartAsync(cancellationToken).ConfigureAwait(false), null);
    }

    /// <summary>Answers a challenge of the exchange that runs.</summary>
    internal ValueTask<SaslClientStep> StepAsync(ReadOnlyMemory<byte> challenge, CancellationToken cancellationToken) =>
        _session!.StepAsync(challenge, cancellationToken);

    /// <summary>The server says that the exchange has succeeded: whether it has proven what the mechanism makes it prove.</summary>
    internal Rejection? Complete(ReadOnlyMemory<byte>? additionalData)
    {
        var end = _session!.Complete(additionalData);
        ServerProofs |= end.Objection is null ? end.ServerProofs : PeerProofs.None;
        return end.Objection;
    }

    public void Dispose()
    {
        _session?.Dispose();
        _session = null;
    }

    private (SaslClientSession? Session, Rejection? Objection) Begin(ImmutableArray<string> offered)
    {
        var context = new SaslClientContext(server, binding, offered) { OwnIdentity = own };
        if (_exchanges == 1)
        {
            return SaslClientSession.Begin(
                isStepUp ? [.. credentials.Mechanisms, .. credentials.SecondFactors] : credentials.Mechanisms, credentials.OnlyMechanism, context);
        }

        var (session, objection) = SaslClientSession.Begin(credentials.SecondFactors, null, context);
        return session is not null ? (session, null) : (null, new Rejection(
            RejectionReason.SecondFactorUnavailable,
            $"a second factor by {string.Join(", ", offered)}",
            credentials.SecondFactors.IsEmpty ? "none" : objection!.Expected)
        {
            Hint = $"Give the client the factor that the server asks for, with {nameof(ClientCredentials)}.{nameof(ClientCredentials.Then)}.",
        });
    }
}
