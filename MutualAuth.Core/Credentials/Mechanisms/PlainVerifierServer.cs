namespace MutualAuth.Credentials;

/// <summary>PLAIN at the server (RFC 4616), with a password that a verifier of the application's checks.</summary>
internal sealed class PlainVerifierServer(IPasswordVerifier verifier) : ISaslServerMechanism, IUsesVerifier
{
    public object Verifier => verifier;

    public IEnumerable<string> NamesFor(SaslServerContext context) => [PlainServer.Name];

    public ISaslServerExchange Begin(string name, SaslServerContext context) => new Exchange(verifier, context);

    private sealed class Exchange(IPasswordVerifier verifier, SaslServerContext context) : ISaslServerExchange
    {
        public async ValueTask<SaslServerStep> StepAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
        {
            if (PlainMessage.Read(message.Span) is not { } parts)
            {
                return PlainMessage.Violated(message.Length);
            }

            using var password = parts.Password;
            var prepared = UserNames.FromPeer(parts.UserName);

            // Before the check, unlike with a store: each guess that reaches a directory counts there too, and could lock the user out.
            if (await context.AdmitAsync(prepared ?? "?", cancellationToken).ConfigureAwait(false) is { } limited)
            {
                return SaslServerStep.Fail(limited);
            }

            if (prepared is null)
            {
                return SaslServerStep.Fail(ScramMechanisms.Unknown());
            }

            var verdict = await verifier.VerifyAsync(prepared, password, cancellationToken).ConfigureAwait(false);
            context.HasFound(isKnown: !verdict.IsUnknown);
            return verdict.Objection is { } objection
                ? SaslServerStep.Fail(objection(prepared))
                : SaslServerStep.Succeed(
                    prepared, PeerProofs.Password, parts.AuthorizationIdentity, verdict.Claims, notAfter: verdict.NotAfter);
        }

        public void Dispose()
        {
        }
    }
}
