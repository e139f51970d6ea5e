using MutualAuth.Credentials;

namespace MutualAuth.Factors;

/// <summary>PASSKEY-PLUS at the client: the challenge is computed from the client's own view of the channel, and not taken from the server.</summary>
internal sealed class PasskeyClient(IPasskeyAuthenticator authenticator, string relyingParty) : ISaslClientMechanism
{
    public IEnumerable<string> NamesFor(SaslClientContext context) => context.ChannelBinding is null ? [] : [PasskeyWire.Name];

    public ISaslClientExchange Begin(string name, SaslClientContext context) => new Exchange(authenticator, relyingParty, context.ChannelBinding!);

    private sealed class Exchange(IPasskeyAuthenticator authenticator, string relyingParty, ChannelBinding binding) : ISaslClientExchange
    {
        private bool _hasSigned;

        public ValueTask<ReadOnlyMemory<byte>?> StartAsync(CancellationToken cancellationToken) =>
            ValueTask.FromResult<ReadOnlyMemory<byte>?>(PasskeyWire.Hello);

        public async ValueTask<SaslClientStep> StepAsync(ReadOnlyMemory<byte> challenge, CancellationToken cancellationToken)
        {
            if (_hasSigned || PasskeyWire.ReadChallenge(challenge) is not { } wanted)
            {
                return SaslClientStep.Refuse(new Rejection(
                    RejectionReason.CredentialProtocolViolated, "one challenge for a passkey", $"{challenge.Length} octets of something else")
                { Rule = PasskeyWire.Rule });
            }

            if (!string.Equals(wanted.RelyingParty, relyingParty, StringComparison.Ordinal))
            {
                return SaslClientStep.Refuse(new Rejection(
                    RejectionReason.PasskeyInvalid, $"a server of the relying party {relyingParty}", "another relying party")
                { Rule = PasskeyWire.Rule, Hint = "Give server and client the same relying party, with which the passkey was registered." });
            }

            _hasSigned = true;
            var assertion = await authenticator.AssertAsync(
                new PasskeyAssertionRequest
                {
                    RelyingParty = relyingParty,
                    Challenge = PasskeyWire.ChallengeOf(binding, relyingParty, wanted.Nonce.Span),
                    AllowedCredentials = wanted.Credentials,
                    RequiresUserVerification = wanted.RequiresUserVerification,
                },
                cancellationToken).ConfigureAwait(false);
            return assertion is null
                ? SaslClientStep.Refuse(new Rejection(
                    RejectionReason.SecondFactorUnavailable, "an authenticator with one of the user's passkeys, and its owner's consent", "none"))
                : SaslClientStep.Answer(PasskeyWire.Write(assertion));
        }

        public SaslClientEnd Complete(ReadOnlyMemory<byte>? additionalData) => FactorEnd.Of(additionalData);

        public void Dispose()
        {
        }
    }
}
