using MutualAuth.Errors;

namespace MutualAuth.Credentials;

/// <summary>RECONNECT-PLUS at the server: one message with the credential and a proof, and the server's own proof with the success.</summary>
internal sealed class ReconnectServer(ReconnectCredentials owner) : ISaslServerMechanism, INeedsEarlierLogin
{
    internal const string Name = SaslMechanismNames.Reconnect;

    public string Maker => $"{nameof(ReconnectCredentials)}.{nameof(ReconnectCredentials.Mechanism)}";

    public PeerProofs MayProve => owner.StandsFor | PeerProofs.ChannelBinding | PeerProofs.ReconnectCredential;

    // Where a user is known it is a second factor, a step-up or a re-authentication: what was proven hours ago proves nothing now.
    public IEnumerable<string> NamesFor(SaslServerContext context) =>
        context is { User: null, IsStepUp: false, ChannelBinding: not null, CertifiedPeer: { Certificate: not null } } ? [Name] : [];

    public ISaslServerExchange Begin(string name, SaslServerContext context) => new Exchange(owner, context);

    private sealed class Exchange(ReconnectCredentials owner, SaslServerContext context) : ISaslServerExchange
    {
        public async ValueTask<SaslServerStep> StepAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
        {
            // Without a name: a credential cannot be guessed, and one that is stale is no failure of the user's.
            if (await context.AdmitAsync(string.Empty, cancellationToken).ConfigureAwait(false) is { } limited)
            {
                return SaslServerStep.Fail(limited);
            }

            var (content, facts, objection) = await owner.JudgeAsync(message, context, cancellationToken).ConfigureAwait(false);
            if (content is null || objection is not null)
            {
                return SaslServerStep.Fail(objection!);
            }

            return SaslServerStep.Succeed(
                content.UserName,
                (content.Proofs & owner.StandsFor) | PeerProofs.ChannelBinding | PeerProofs.ReconnectCredential,
                content.ActsAs == content.UserName ? null : content.ActsAs,
                [],
                ReconnectCredentials.Answer(content, message.Span, context.ChannelBinding!),
                owner.EndOf(content),
                facts);
        }

        public void Dispose()
        {
        }
    }
}
