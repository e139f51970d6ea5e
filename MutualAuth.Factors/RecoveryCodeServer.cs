using System.Text;
using Microsoft.Extensions.Logging;
using MutualAuth.Credentials;

namespace MutualAuth.Factors;

/// <summary>Recovery codes at the server: one message with the code, whose hash is removed with its use.</summary>
internal sealed class RecoveryCodeServer(ISecondFactorStore store, ILogger logger) : ISaslServerMechanism, IFactorIdentity
{
    private static readonly byte[] s_decoySalt = RecoveryCodeSet.CreateSalt();

    internal const string Name = "RECOVERY-CODE";

    public PeerProofs MayProve => PeerProofs.RecoveryCode;

    public IEnumerable<string> NamesFor(SaslServerContext context) => [Name];

    public ISaslServerExchange Begin(string name, SaslServerContext context) => new Exchange(store, logger, context);

    /// <summary>The salt of the set, without the codes that are left, and however they are stored.</summary>
    public ValueTask<string?> IdentityOfAsync(string userName, StoredFactor factor, CancellationToken cancellationToken) =>
        new(RecoveryCodeSet.TryRead(factor, out var set) ? set.Identity : null);

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

            if (RecoveryCodes.Normalize(Encoding.ASCII.GetString(message.Span)) is not { } code)
            {
                return SaslServerStep.Fail(new Rejection(RejectionReason.SecondFactorWrong, "a recovery code", "what cannot be one"));
            }

            return await JudgeAsync(user, code, cancellationToken).ConfigureAwait(false);
        }

        private async ValueTask<SaslServerStep> JudgeAsync(AuthenticatedUser user, string code, CancellationToken cancellationToken)
        {
            (byte[] Salt, int Iterations, string Hash)? derived = null;
            for (var attempt = 0; attempt < FactorSteps.MaxAttempts; attempt++)
            {
                // On threads that may block: after a derivation, and for a second reading, this is a thread of the pool.
                var factors = await context.RunBlockingAsync(() => store.FindFactorsAsync(user.Name, cancellationToken), cancellationToken)
                    .ConfigureAwait(false);
                var before = factors.FirstOrDefault(factor => factor.Kind == RecoveryCodes.Kind);
                RecoveryCodeSet? set = null;
                if (before is not null && !RecoveryCodeSet.TryRead(before, out set))
                {
                    return Unreadable();
                }

                // Also for a user without codes, and for a set of before: the time tells a client neither.
                var (salt, iterations) = (set?.Salt ?? s_decoySalt, set?.Iterations ?? RecoveryCodeSet.Function.DefaultIterations);
                var first = RecoveryCodeSet.First(salt, code);
                if (derived is not { } known || known.Iterations != iterations || !known.Salt.AsSpan().SequenceEqual(salt))
                {
                    if (await DeriveAsync(salt, iterations, first, cancellationToken).ConfigureAwait(false) is not { } hash)
                    {
                        return SaslServerStep.Fail(new Rejection(
                            RejectionReason.CredentialCheckOverloaded, "a free place among the key derivations", "none"));
                    }

                    derived = known = (salt, iterations, hash);
                }

                if (before is null || set is null)
                {
                    return FactorSteps.NotEnrolled(user.ToString(), "a user with recovery codes");
                }

                if (set.Without(set.Iterations is null ? first : known.Hash) is not { } left)
                {
                    return SaslServerStep.Fail(new Rejection(
                        RejectionReason.SecondFactorWrong,
                        $"one of the {set.Hashes.Length} recovery codes that are left",
                        "another, or one that was used"));
                }

                var after = left.ToFactor(before.Id);
                if (await context.RunBlockingAsync(
                    () => store.TryReplaceFactorAsync(user.Name, before, after, cancellationToken), cancellationToken).ConfigureAwait(false))
                {
                    Say(user.ToString(), left);
                    return SaslServerStep.Succeed(
                        user.Name, PeerProofs.RecoveryCode, facts: [LoginFacts.SecondFactor(store, user.Name, before.Id)]);
                }
            }

            return SaslServerStep.Fail(new Rejection(
                RejectionReason.SecondFactorWrong, "a recovery code that is left", "one that was used just now"));
        }

        /// <returns>Null when no place for a derivation was free.</returns>
        private async ValueTask<string?> DeriveAsync(byte[] salt, int iterations, string first, CancellationToken cancellationToken)
        {
            using var secret = Password.From(first);
            var key = await context.DeriveKeyAsync(RecoveryCodeSet.Function, secret, salt, iterations, cancellationToken).ConfigureAwait(false);
            return key is null ? null : RecoveryCodeSet.TakeKey(key);
        }

        /// <summary>No guess was judged: it does not count as one.</summary>
        private static SaslServerStep Unreadable() => SaslServerStep.Fail(new Rejection(
            RejectionReason.CredentialCheckFaulted,
            $"recovery codes as this version stores them, with {ScramVerifier.MinIterations} to {ScramVerifier.MaxIterations} iterations",
            "something else")
        { Hint = "Let the user make new codes, and ask who can write the store." });

        public void Dispose()
        {
        }

        private void Say(string user, RecoveryCodeSet left)
        {
            var count = left.Hashes.Length;
            if (left.Iterations is null)
            {
                FactorLog.RecoveryCodesOfBefore(logger, user);
            }

            FactorLog.RecoveryCodeUsed(logger, user, count);
            if (count <= Few)
            {
                FactorLog.FewRecoveryCodesLeft(logger, user, count);
            }
        }
    }
}
