using System.Collections.Immutable;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using MutualAuth.Credentials;

namespace MutualAuth.Factors;

/// <summary>PASSKEY-PLUS at the server: a greeting, a challenge, an assertion.</summary>
internal sealed class PasskeyServer(ISecondFactorStore store, PasskeyOptions options) : ISaslServerMechanism, IFactorIdentity
{
    private readonly PasskeyVerifier _verifier = new(options);
    private readonly ILogger _logger = FactorLog.Create(options.LoggerFactory);

    public PeerProofs MayProve => PeerProofs.Passkey | PeerProofs.ChannelBinding | PeerProofs.UserVerification;

    public IEnumerable<string> NamesFor(SaslServerContext context) => context.ChannelBinding is null ? [] : [PasskeyWire.Name];

    public ISaslServerExchange Begin(string name, SaslServerContext context) => new Exchange(store, options, _verifier, _logger, context);

    /// <summary>The passkey and whether it is locked, without its counter.</summary>
    public ValueTask<string?> IdentityOfAsync(string userName, StoredFactor factor, CancellationToken cancellationToken) =>
        new(factor.Kind == StoredPasskey.Kind && factor.Data.Split(';') is [var version, var id, var key, _, var state]
            ? string.Join(';', version, id, key, state)
            : null);

    private sealed class Exchange(
        ISecondFactorStore store, PasskeyOptions options, PasskeyVerifier verifier, ILogger logger, SaslServerContext context) : ISaslServerExchange
    {
        private byte[]? _nonce;

        public async ValueTask<SaslServerStep> StepAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
        {
            if (context.User is not { } user || context.ChannelBinding is not { } binding)
            {
                return FactorSteps.NobodyYet();
            }

            if (_nonce is { } nonce)
            {
                return await JudgeAsync(user, PasskeyWire.ChallengeOf(binding, options.RelyingParty, nonce), message, cancellationToken)
                    .ConfigureAwait(false);
            }

            if (!message.Span.SequenceEqual(PasskeyWire.Hello.Span))
            {
                return FactorSteps.Malformed("the octet 01", message.Length, PasskeyWire.Rule);
            }

            var passkeys = await FindAsync(user, cancellationToken).ConfigureAwait(false);
            if (passkeys.IsEmpty)
            {
                return FactorSteps.NotEnrolled(user.ToString(), "a user with a passkey");
            }

            _nonce = RandomNumberGenerator.GetBytes(PasskeyWire.NonceLength);
            return SaslServerStep.Continue(PasskeyWire.Write(new PasskeyChallenge(
                options.RequiresUserVerification,
                _nonce,
                options.RelyingParty,
                [.. passkeys.Select(passkey => (ReadOnlyMemory<byte>)passkey.Passkey.CredentialId)])));
        }

        public void Dispose()
        {
        }

        private async ValueTask<SaslServerStep> JudgeAsync(
            AuthenticatedUser user, byte[] challenge, ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
        {
            if (PasskeyWire.ReadAssertion(message) is not { } assertion)
            {
                return FactorSteps.Malformed("an assertion", message.Length, PasskeyWire.Rule);
            }

            if (await context.AdmitAsync(user.Name, cancellationToken).ConfigureAwait(false) is { } limited)
            {
                return SaslServerStep.Fail(limited);
            }

            var handle = PasskeyWire.HandleOf(options.RelyingParty, user.Name);
            for (var attempt = 0; attempt < FactorSteps.MaxAttempts; attempt++)
            {
                var passkeys = await FindAsync(user, cancellationToken).ConfigureAwait(false);
                var (before, passkey) = passkeys.FirstOrDefault(
                    each => each.Passkey.CredentialId.AsSpan().SequenceEqual(assertion.CredentialId.Span));
                if (before is null)
                {
                    return SaslServerStep.Fail(PasskeyVerifier.Invalid($"one of the {passkeys.Length} passkeys of {user}"));
                }

                var (counter, isVerified, objection) = passkey.IsLocked
                    ? (0, false, PasskeyVerifier.Copied())
                    : await verifier.VerifyAsync(passkey, assertion, challenge, handle, cancellationToken).ConfigureAwait(false);
                if (objection is not null)
                {
                    if (objection.Reason == RejectionReason.PasskeyCounterNotRisen)
                    {
                        await SayCopiedAsync(user, before, passkey, cancellationToken).ConfigureAwait(false);
                    }

                    return SaslServerStep.Fail(objection);
                }

                if (counter == passkey.Counter
                    || await store.TryReplaceFactorAsync(
                        user.Name, before, (passkey with { Counter = counter }).ToFactor(), cancellationToken).ConfigureAwait(false))
                {
                    var proofs = PeerProofs.Passkey | PeerProofs.ChannelBinding | (isVerified ? PeerProofs.UserVerification : PeerProofs.None);
                    return SaslServerStep.Succeed(user.Name, proofs, facts: [LoginFacts.SecondFactor(store, user.Name, before.Id)]);
                }
            }

            return SaslServerStep.Fail(PasskeyVerifier.Copied());
        }

        private async ValueTask SayCopiedAsync(
            AuthenticatedUser user, StoredFactor before, StoredPasskey passkey, CancellationToken cancellationToken)
        {
            var isLocked = passkey.IsLocked;
            if (options.LocksCopiedPasskeys && !isLocked)
            {
                isLocked = await store.TryReplaceFactorAsync(
                    user.Name, before, (passkey with { IsLocked = true }).ToFactor(), cancellationToken).ConfigureAwait(false);
            }

            FactorLog.PasskeyMayBeCopied(logger, before.ToString(), user.ToString(), passkey.Counter, isLocked);
        }

        private async ValueTask<ImmutableArray<(StoredFactor Factor, StoredPasskey Passkey)>> FindAsync(
            AuthenticatedUser user, CancellationToken cancellationToken) =>
            [.. (await store.FindFactorsAsync(user.Name, cancellationToken).ConfigureAwait(false))
                .Where(factor => factor.Kind == StoredPasskey.Kind).Take(PasskeyWire.MaxCredentials)
                .Select(factor => (factor, StoredPasskey.Read(factor)))];
    }
}
