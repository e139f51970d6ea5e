using System.Security.Cryptography;
using System.Text;
using MutualAuth.Errors;
using MutualAuth.Validation;

namespace MutualAuth.Credentials;

/// <summary>PLAIN at the server (RFC 4616): derives a key from the password that was sent, and compares. Each login costs the server a derivation.</summary>
internal sealed class PlainServer(ICredentialStore store) : ISaslServerMechanism
{
    internal const string Name = "PLAIN";

    public IEnumerable<string> NamesFor(SaslServerContext context) => [Name];

    public ISaslServerExchange Begin(string name, SaslServerContext context) => new Exchange(store, context);

    private sealed class Exchange(ICredentialStore store, SaslServerContext context) : ISaslServerExchange
    {
        private const int MaxMessageLength = (SaslLimits.MaxNameLength * 2) + (Stringprep.SaslPrep.MaxLength * 4) + 2;

        public async ValueTask<SaslServerStep> StepAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
        {
            if (message.Length > MaxMessageLength || !System.Text.Unicode.Utf8.IsValid(message.Span) || Read(message.Span) is not { } parts)
            {
                return SaslServerStep.Fail(RejectionReason.CredentialProtocolViolated, "[authzid] NUL authcid NUL passwd", $"{message.Length} octets of something else", "RFC 4616 §2");
            }

            using var password = parts.Password;
            var prepared = UserNames.FromPeer(parts.UserName);
            var userName = prepared ?? "?";
            if (await context.AdmitAsync(userName, cancellationToken).ConfigureAwait(false) is { } limited)
            {
                return SaslServerStep.Fail(limited);
            }

            var (verifier, objection) = Choose(prepared is null ? null : await store.FindAsync(userName, cancellationToken).ConfigureAwait(false), userName);
            var isFamiliar = context.Services.Familiar.Contains(new LoginAttempt(userName, context.RemoteAddress));
            var saltedPassword = await context.Services.KeyDerivation
                .HiAsync(verifier.Hash, password, verifier.Salt.AsMemory(), verifier.Iterations, context.RemoteAddress, isFamiliar, cancellationToken).ConfigureAwait(false);
            if (saltedPassword is null)
            {
                return SaslServerStep.Fail(RejectionReason.CredentialCheckOverloaded, "a free place among the key derivations", "none");
            }

            var matches = verifier.Matches(saltedPassword);
            CryptographicOperations.ZeroMemory(saltedPassword);
            return !matches || objection is not null
                ? SaslServerStep.Fail(objection ?? ScramMechanisms.Wrong(userName, "a wrong password"))
                : SaslServerStep.Succeed(userName, PeerProofs.Password, parts.AuthorizationIdentity);
        }

        public void Dispose()
        {
        }

        private (ScramVerifier Verifier, Rejection? Objection) Choose(StoredCredential? stored, string userName)
        {
            // The decoy is derived for everybody, so that nobody can be told by the time it takes.
            var decoy = context.Services.Decoys.For(userName, ScramHash.Sha256);
            if (stored is null || stored.Verifiers.IsDefaultOrEmpty || !string.Equals(stored.UserName, userName, StringComparison.Ordinal))
            {
                return (decoy, ScramMechanisms.Unknown());
            }

            var verifier = stored.For(ScramHash.Sha256) ?? stored.Verifiers[0];
            return verifier.Iterations is < ScramVerifier.MinIterations or > ScramVerifier.MaxIterations ? (decoy, ScramMechanisms.IterationsOutOfRange(verifier.Iterations))
                : stored.IsDisabled ? (verifier, ScramMechanisms.Wrong(userName, "a user who is disabled"))
                : (verifier, null);
        }

        private static (string? AuthorizationIdentity, string UserName, Password Password)? Read(ReadOnlySpan<byte> message)
        {
            var first = message.IndexOf((byte)0);
            var second = first < 0 ? -1 : message[(first + 1)..].IndexOf((byte)0);
            if (second <= 0 || first > SaslLimits.MaxNameLength || second > SaslLimits.MaxNameLength)
            {
                return null;
            }

            var secret = message[(first + second + 2)..];
            if (secret.Contains((byte)0))
            {
                return null;
            }

            var characters = new char[Encoding.UTF8.GetCharCount(secret)];
            Encoding.UTF8.GetChars(secret, characters);
            var password = Password.FromPeer(characters);
            characters.AsSpan().Clear();
            return password is null ? null : (first == 0 ? null : Encoding.UTF8.GetString(message[..first]), Encoding.UTF8.GetString(message.Slice(first + 1, second)), password);
        }
    }
}
