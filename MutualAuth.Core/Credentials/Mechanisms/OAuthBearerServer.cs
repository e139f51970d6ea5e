using MutualAuth.Errors;

namespace MutualAuth.Credentials;

/// <summary>
/// OAUTHBEARER at the server (RFC 7628): one message with the token; on failure an error, which the client acknowledges before it is
/// refused.
/// </summary>
internal sealed class OAuthBearerServer(ITokenValidator validator, bool acceptsUnbound) : ISaslServerMechanism
{
    internal const string Name = SaslMechanismNames.OAuthBearer;

    public PeerProofs MayProve => PeerProofs.Token | PeerProofs.ChannelBinding;

    public IEnumerable<string> NamesFor(SaslServerContext context) => acceptsUnbound || context.CertifiedPeer is not null ? [Name] : [];

    public ISaslServerExchange Begin(string name, SaslServerContext context) => new Exchange(validator, acceptsUnbound, context);

    /// <summary>RFC 6750 §2.1.</summary>
    internal static bool IsToken(ReadOnlySpan<char> text)
    {
        var end = text.TrimEnd('=');
        foreach (var character in end)
        {
            if (!char.IsAsciiLetterOrDigit(character) && character is not ('-' or '.' or '_' or '~' or '+' or '/'))
            {
                return false;
            }
        }

        return !end.IsEmpty;
    }

    private sealed class Exchange(ITokenValidator validator, bool acceptsUnbound, SaslServerContext context) : ISaslServerExchange
    {
        private Rejection? _told;

        public async ValueTask<SaslServerStep> StepAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
        {
            if (_told is not null)
            {
                // RFC 7628 §3.2.3: the client answers the error with one octet, whatever it is, and is refused.
                return SaslServerStep.Fail(_told);
            }

            if (Read(message.Span) is not var (header, token))
            {
                return SaslServerStep.Fail(
                    RejectionReason.CredentialProtocolViolated,
                    "a GS2 header and one auth=Bearer",
                    $"{message.Length} octets of something else",
                    "RFC 7628 §3.1");
            }

            if (await context.AdmitAsync(string.Empty, cancellationToken).ConfigureAwait(false) is { } limited)
            {
                return SaslServerStep.Fail(limited);
            }

            var verdict = await validator.ValidateAsync(token, context.RemoteAddress, cancellationToken).ConfigureAwait(false);
            if (verdict is { Rejection: { } unavailable, Told: null })
            {
                return SaslServerStep.Fail(unavailable);
            }

            if ((verdict.Rejection
                ?? TokenBinding.Examine(verdict.Confirmation, context.CertifiedPeer?.Certificate, acceptsUnbound)) is { } objection)
            {
                _told = objection;
                return SaslServerStep.ContinueToFail(TokenErrorJson.Write(verdict.Told ?? new TokenError()));
            }

            var proofs = PeerProofs.Token | (verdict.Confirmation is null ? PeerProofs.None : PeerProofs.ChannelBinding);
            return SaslServerStep.Succeed(
                verdict.UserName!, proofs, header.AuthorizationIdentity, verdict.Claims, notAfter: verdict.NotAfter, facts: verdict.Facts);
        }

        public void Dispose()
        {
        }

        /// <summary>gs2-header kvsep *kvpair kvsep (RFC 7628 §3.1); other keys than auth are passed over.</summary>
        private static (Gs2Header Header, string Token)? Read(ReadOnlySpan<byte> message)
        {
            const string Bearer = "bearer ";
            if (message.Length > SaslLimits.MaxMessageLength
                || !System.Text.Ascii.IsValid(message)
                || Gs2Header.Read(System.Text.Encoding.ASCII.GetString(message)) is not var (header, rest)
                || header.Flag == 'p' || rest.Split('\u0001') is not ["", .. var pairs, "", ""])
            {
                return null;
            }

            string[] authorizations = [.. pairs.Where(pair => pair.StartsWith("auth=", StringComparison.Ordinal)).Select(pair => pair[5..])];
            return authorizations is [var only] && only.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) && IsToken(only.AsSpan(Bearer.Length))
                ? (header, only[Bearer.Length..])
                : null;
        }
    }
}
