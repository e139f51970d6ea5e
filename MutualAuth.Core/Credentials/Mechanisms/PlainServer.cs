using System.Security.Cryptography;

namespace MutualAuth.Credentials;

/// <summary>
/// PLAIN at the server (RFC 4616): derives a key from the password that was sent, and compares. Each login costs the server a derivation.
/// </summary>
internal sealed class PlainServer(ICredentialStore store) : ISaslServerMechanism, IUsesStore, INeverBlocks
{
    internal const string Name = "PLAIN";

    public ICredentialStore Store => store;

    public PeerProofs MayProve => PeerProofs.Password;

    public IEnumerable<string> NamesFor(SaslServerContext context) => [Name];

    public ISaslServerExchange Begin(string name, SaslServerContext context) => new Exchange(store, context);

    private sealed class Exchange(ICredentialStore store, SaslServerContext context) : ISaslServerExchange
    {
        public async ValueTask<SaslServerStep> StepAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
        {
            if (PlainMessage.Read(message.Span) is not { } parts)
            {
                return PlainMessage.Violated(message.Length);
            }

            using var password = parts.Password;
            var prepared = UserNames.FromPeer(parts.UserName);
            var userName = prepared ?? "?";
            if (await context.ForeseeAsync(userName, cancellationToken).ConfigureAwait(false) is { } foreseen)
            {
                return SaslServerStep.Fail(foreseen);
            }

            var stored = prepared is null ? null : await context.FindAsync(store, userName, cancellationToken).ConfigureAwait(false);
            if (await MatchesAsync(stored, password, userName, cancellationToken).ConfigureAwait(false) is not { } matches)
            {
                return SaslServerStep.Fail(RejectionReason.CredentialCheckOverloaded, "a free place among the key derivations", "none");
            }

            // Checked only now: otherwise concurrent guesses would all be checked before the first of them has failed.
            if (await context.AdmitAsync(userName, cancellationToken).ConfigureAwait(false) is { } limited)
            {
                return SaslServerStep.Fail(limited);
            }

            return !matches || Object(stored, userName) is not null
                ? SaslServerStep.Fail(Object(stored, userName) ?? ScramMechanisms.Wrong(userName, "a wrong password"))
                : SaslServerStep.Succeed(
                    userName,
                    PeerProofs.Password,
                    parts.AuthorizationIdentity,
                    facts: [LoginFacts.Verifier(store, userName, Deciding(stored!))]);
        }

        public void Dispose()
        {
        }

        /// <summary>
        /// Derives once for each hash in use, with a decoy if the user has no verifier, so that the number of derivations reveals nothing.
        /// One verifier decides, so that an old one beside it is not accepted.
        /// </summary>
        /// <returns>Null when no place for a derivation was free.</returns>
        private async ValueTask<bool?> MatchesAsync(StoredCredential? stored, Password password, string userName, CancellationToken cancellationToken)
        {
            ScramVerifier[] candidates = [.. ScramHash.All.Select(
                hash => stored?.For(hash) is { Iterations: >= ScramVerifier.MinIterations and <= ScramVerifier.MaxIterations } verifier
                    ? verifier
                    : context.Services.Decoys.For(userName, hash))];
            var derived = await context.Services.KeyDerivation.HiAsync(
                [.. candidates.Select(verifier => new DerivationInput(verifier.Hash, verifier.Salt.AsMemory(), verifier.Iterations))],
                password,
                context.RemoteAddress,
                context.Services.Familiar.Contains(context.AttemptOf(userName)),
                cancellationToken).ConfigureAwait(false);
            if (derived is null)
            {
                return null;
            }

            var deciding = stored?.For(ScramHash.Sha256) is null ? candidates.Length - 1 : 0;
            var matches = candidates[deciding].Matches(derived[deciding]);
            foreach (var key in derived)
            {
                CryptographicOperations.ZeroMemory(key);
            }

            return matches;
        }

        private static ScramVerifier Deciding(StoredCredential stored) => stored.For(ScramHash.Sha256) ?? stored.Verifiers[0];

        private static Rejection? Object(StoredCredential? stored, string userName)
        {
            if (stored is null || stored.Verifiers.IsDefaultOrEmpty || !string.Equals(stored.UserName, userName, StringComparison.Ordinal))
            {
                return ScramMechanisms.Unknown();
            }

            var verifier = Deciding(stored);
            return verifier.Iterations is < ScramVerifier.MinIterations or > ScramVerifier.MaxIterations
                ? ScramMechanisms.IterationsOutOfRange(verifier.Iterations)
                : stored.IsDisabled ? ScramMechanisms.Wrong(userName, "a user who is disabled")
                : null;
        }
    }
}
