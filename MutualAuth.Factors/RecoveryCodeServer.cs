using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using MutualAuth.Credentials;

namespace MutualAuth.Factors;

/// <summary>Recovery codes at the server: one message with the code, whose hash is removed with its use.</summary>
internal sealed class RecoveryCodeServer(ISecondFactorStore store, ILogger logger) : ISaslServerMechanism, IFactorIdentity
{
    internal const string Name = "RECOVERY-CODE";

    public PeerProofs MayProve => PeerProofs.RecoveryCode;

    public IEnumerable<string> NamesFor(SaslServerContext context) => [Name];

    public ISaslServerExchange Begin(string name, SaslServerContext context) => new Exchange(store, logger, context);

    /// <summary>The salt of the set, without the codes that are left.</summary>
    public ValueTask<string?> IdentityOfAsync(string userName, StoredFactor factor, CancellationToken cancellationToken) =>
        new(factor.Kind == RecoveryCodes.Kind && !FactorEncryption.IsEncrypted(factor) && factor.Data.LastIndexOf(';') is >= 0 and var end
            ? factor.Data[..end]
            : null);

    private sealed class Exchange(ISecondFactorStore store, ILogger logger, SaslServerContext context) : ISaslServerExchange
    {
        private const int MaxLength = 64;
        private const int Few = 3;

        public async ValueTask<SaslServerStep> StepAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
        {
            if (context.User is not { } user)
            {
                return FactorSteps.NobodyYet();
            }

            if (message.Length is 0 or > MaxLength || message.Span.ContainsAnyExceptInRange((byte)' ', (byte)'~'))
            {
                return FactorSteps.Malformed($"1 to {MaxLength} printable characters", message.Length, "protocol page §12.1");
            }

            if (await context.AdmitAsync(user.Name, cancellationToken).ConfigureAwait(false) is { } limited)
            {
                return SaslServerStep.Fail(limited);
            }

            var code = RecoveryCodes.Normalize(Encoding.ASCII.GetString(message.Span));
            for (var attempt = 0; attempt < FactorSteps.MaxAttempts; attempt++)
            {
                var factors = await store.FindFactorsAsync(user.Name, cancellationToken).ConfigureAwait(false);
                if (factors.FirstOrDefault(factor => factor.Kind == RecoveryCodes.Kind) is not { } before)
                {
                    return FactorSteps.NotEnrolled(user.ToString(), "a user with recovery codes");
                }

                var (salt, hashes) = RecoveryCodes.Read(before);
                var mine = code is null ? null : Encoding.ASCII.GetBytes(RecoveryCodes.HashOf(salt, code));
                string[] left = [.. hashes.Where(
                    hash => mine is null || !CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(hash), mine))];
                if (left.Length == hashes.Length)
                {
                    return SaslServerStep.Fail(new Rejection(
                        RejectionReason.SecondFactorWrong,
                        $"one of the {hashes.Length} recovery codes that are left",
                        "another, or one that was used"));
                }

                if (await store.TryReplaceFactorAsync(user.Name, before, RecoveryCodes.ToFactor(salt, left), cancellationToken).ConfigureAwait(false))
                {
                    Say(user.ToString(), left.Length);
                    return SaslServerStep.Succeed(
                        user.Name, PeerProofs.RecoveryCode, facts: [LoginFacts.SecondFactor(store, user.Name, before.Id)]);
                }
            }

            return SaslServerStep.Fail(new Rejection(
                RejectionReason.SecondFactorWrong, "a recovery code that is left", "one that was used just now"));
        }

        public void Dispose()
        {
        }

        private void Say(string user, int count)
        {
            FactorLog.RecoveryCodeUsed(logger, user, count);
            if (count <= Few)
            {
                FactorLog.FewRecoveryCodesLeft(logger, user, count);
            }
        }
    }
}
