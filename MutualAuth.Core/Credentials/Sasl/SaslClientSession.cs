using MutualAuth.Errors;
using MutualAuth.Validation;

namespace MutualAuth.Credentials;

/// <summary>One login at the client, whatever carries the messages: chooses the mechanism, and counts the rounds.</summary>
internal sealed class SaslClientSession : IDisposable
{
    private readonly ISaslClientExchange _exchange;
    private int _rounds;

    private SaslClientSession(string mechanism, ISaslClientExchange exchange)
    {
        Mechanism = mechanism;
        _exchange = exchange;
    }

    internal string Mechanism { get; }

    /// <summary>What the server said of our token before it refused us; null when it said nothing that is well-formed.</summary>
    internal TokenError? TokenError => (_exchange as ITokenErrorHolder)?.TokenError;

    /// <summary>Takes the first of our mechanisms that the server offers too.</summary>
    internal static (SaslClientSession? Session, Rejection? Objection) Begin(ClientCredentials credentials, SaslClientContext context) =>
        Begin(credentials.Mechanisms, credentials.OnlyMechanism, context);

    /// <inheritdoc cref="Begin(ClientCredentials, SaslClientContext)"/>
    internal static (SaslClientSession? Session, Rejection? Objection) Begin(
        IEnumerable<ISaslClientMechanism> mechanisms, string? only, SaslClientContext context)
    {
        var wanted = mechanisms.SelectMany(mechanism => mechanism.NamesFor(context).Select(name => (name, mechanism)))
            .Where(candidate => only is null || candidate.name == only).ToArray();
        foreach (var (name, mechanism) in wanted)
        {
            if (context.Offered.Contains(name))
            {
                return (new SaslClientSession(name, mechanism.Begin(name, context)), null);
            }
        }

        return (null, Explain([.. wanted.Select(candidate => candidate.name)], context));
    }

    /// <exception cref="OperationCanceledException">
    /// <paramref name="cancellationToken"/> was cancelled, also while the mechanism, or a source of tokens, blocks its thread.
    /// </exception>
    internal async ValueTask<ReadOnlyMemory<byte>?> StartAsync(CancellationToken cancellationToken) =>
        await TaskWaits.RunOrLeaveAsync(_exchange.StartAsync, cancellationToken).ConfigureAwait(false);

    /// <exception cref="OperationCanceledException">
    /// <paramref name="cancellationToken"/> was cancelled, also while the mechanism blocks its thread.
    /// </exception>
    internal async ValueTask<SaslClientStep> StepAsync(ReadOnlyMemory<byte> challenge, CancellationToken cancellationToken) =>
        ++_rounds > SaslLimits.MaxRounds
        ? SaslClientStep.Refuse(new Rejection(RejectionReason.CredentialProtocolViolated, $"at most {SaslLimits.MaxRounds} challenges", "one more"))
        : await TaskWaits.RunOrLeaveAsync(token => _exchange.StepAsync(challenge, token), cancellationToken).ConfigureAwait(false);

    internal SaslClientEnd Complete(ReadOnlyMemory<byte>? additionalData) => _exchange.Complete(additionalData);

    public void Dispose() => _exchange.Dispose();

    private static Rejection Explain(string[] wanted, SaslClientContext context)
    {
        // One that binds and one that does not differ by their ending: then it is the binding that is missing, and not the mechanism.
        var lacksBinding = wanted.Length == 0
            || wanted.Any(
                name => name.EndsWith(ScramMechanisms.Plus, StringComparison.Ordinal)
                    && context.Offered.Contains(name[..^ScramMechanisms.Plus.Length]));
        var reason = lacksBinding ? RejectionReason.ChannelBindingUnavailable : RejectionReason.MechanismUnavailable;
        var expected = wanted.Length == 0 ? "a server certificate to which the login can be bound" : string.Join(", ", wanted);
        return new Rejection(reason, expected, context.Offered.IsEmpty ? "none" : string.Join(", ", context.Offered))
        {
            Hint = lacksBinding ? "Let the server offer -PLUS. If it used to, there may be a man in the middle." : null,
        };
    }
}
