using System.Text;
using MutualAuth.Credentials;

namespace MutualAuth.Factors;

/// <summary>TOTP at the server: one message with the code.</summary>
internal sealed class OneTimeCodeServer(ISecondFactorStore store, OneTimeCodeOptions options) : ISaslServerMechanism, IFactorIdentity
{
    internal const string Name = "TOTP";

    public PeerProofs MayProve => PeerProofs.OneTimeCode;

    public IEnumerable<string> NamesFor(SaslServerContext context) => [Name];

    public ISaslServerExchange Begin(string name, SaslServerContext context) => new Exchange(store, options, context);

    /// <summary>Everything but the last step that was used, in plain text: how it is encrypted says nothing of which generator it is.</summary>
    public async ValueTask<string?> IdentityOfAsync(string userName, StoredFactor factor, CancellationToken cancellationToken)
    {
        if (factor.Kind != OneTimeCodeSecret.Kind)
        {
            return null;
        }

        var opened = await FactorEncryption.OpenAsync(options.Keys, userName, factor, requireEncryption: false, cancellationToken)
            .ConfigureAwait(false);
        return opened.IsOpen ? opened.Factor.Data.LastIndexOf(';') is >= 0 and var end ? opened.Factor.Data[..end] : null
            : opened.Objection.Reason == RejectionReason.SecondFactorKeyUnavailable ? throw new InvalidOperationException($"{opened.Objection}")
            : null;
    }

    private sealed class Exchange(ISecondFactorStore store, OneTimeCodeOptions options, SaslServerContext context) : ISaslServerExchange
    {
        /// <summary>How far beyond the window a code is recognized, for the operator alone: twenty steps are ten minutes.</summary>
        private const int RecognizedSteps = 20;

        private const string Rule = "RFC 6238 §5.2";

        public async ValueTask<SaslServerStep> StepAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
        {
            if (context.User is not { } user)
            {
                return FactorSteps.NobodyYet();
            }

            if (message.Length is < 6 or > 8 || message.Span.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            {
                return FactorSteps.Malformed("6 to 8 digits", message.Length, "protocol page §12.1");
            }

            if (await context.AdmitAsync(user.Name, cancellationToken).ConfigureAwait(false) is { } limited)
            {
                return SaslServerStep.Fail(limited);
            }

            var secrets = new StoredSecrets(options, user);
            var code = Encoding.ASCII.GetString(message.Span);
            for (var attempt = 0; attempt < FactorSteps.MaxAttempts; attempt++)
            {
                var factors = await store.FindFactorsAsync(user.Name, cancellationToken).ConfigureAwait(false);
                StoredFactor[] mine = [.. factors.Where(factor => factor.Kind == OneTimeCodeSecret.Kind).Take(FactorSteps.MaxFactors)];
                if (mine.Length == 0)
                {
                    return FactorSteps.NotEnrolled(user.ToString(), "a user with a generator of one-time codes");
                }

                var (opened, unopened) = await secrets.OpenAsync(mine, cancellationToken).ConfigureAwait(false);
                if (opened.Count == 0)
                {
                    return SaslServerStep.Fail(unopened!);
                }

                var (before, used, objection) = Examine(opened, code);
                if (objection is not null)
                {
                    return SaslServerStep.Fail(objection);
                }

                var (after, noKey) = await secrets.CloseAsync(used!, cancellationToken).ConfigureAwait(false);
                if (after is null)
                {
                    return SaslServerStep.Fail(noKey!);
                }

                if (await store.TryReplaceFactorAsync(user.Name, before!, after, cancellationToken).ConfigureAwait(false))
                {
                    return SaslServerStep.Succeed(
                        user.Name, PeerProofs.OneTimeCode, facts: [LoginFacts.SecondFactor(store, user.Name, before!.Id)]);
                }
            }

            return SaslServerStep.Fail(Reused());
        }

        public void Dispose()
        {
        }

        /// <summary>
        /// Which factor the code is of, as it is stored, and what is to be kept of that in plain text; otherwise the objection that says most. One
        /// that does not open takes no part: a guess that another one has judged must count as a guess.
        /// </summary>
        private (StoredFactor? Before, StoredFactor? Used, Rejection? Objection) Examine(
            IReadOnlyList<(StoredFactor Stored, StoredFactor Plain)> factors, string code)
        {
            Rejection? objection = null;
            foreach (var (stored, plain) in factors)
            {
                var (secret, last) = OneTimeCodeSecret.Read(plain);
                var now = secret.StepAt(options.TimeProvider.GetUtcNow());
                if (secret.FindStep(code, now - options.WindowSteps, now + options.WindowSteps) is not { } step)
                {
                    objection ??= OutOfTime(secret, code, now);
                }
                else if (step <= last)
                {
                    objection = Reused();
                }
                else
                {
                    return (stored, secret.ToFactor(stored.Id, step), null);
                }
            }

            objection ??= new Rejection(RejectionReason.SecondFactorWrong, "the code of the moment", "another one") { Rule = Rule };
            return (null, null, objection);
        }

        private Rejection? OutOfTime(OneTimeCodeSecret secret, string code, long now)
        {
            if (secret.FindStep(code, now - RecognizedSteps, now + RecognizedSteps) is not { } step)
            {
                return null;
            }

            var isLate = step < now;
            return new Rejection(
                isLate ? RejectionReason.OneTimeCodeTooLate : RejectionReason.OneTimeCodeTooEarly,
                $"a code that is at most {options.WindowSteps} steps of {secret.PeriodSeconds} s away",
                $"one that is {Math.Abs(now - step)} steps too {(isLate ? "late" : "early")}")
            {
                Rule = Rule,
                Hint = "Compare the clock of the user's device with this server's; both should follow a time server.",
            };
        }

        private static Rejection Reused() =>
            new(RejectionReason.SecondFactorReused, "a code that was not used before", "one that was, or an earlier one")
            {
                Rule = Rule,
                Hint = "If the user did not send it twice, somebody else has seen the code or has the secret: give the user another.",
            };
    }
}
