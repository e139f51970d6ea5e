using System.Security.Cryptography;
using System.Text;
using MutualAuth.Errors;

namespace MutualAuth.Credentials;

/// <summary>Creates the credentials of a client; each call reads as a sentence.</summary>
public static class Login
{
    /// <summary>A name and a password, by SCRAM (RFC 5802): the password is not sent, and the server must prove that it knows the user.</summary>
    /// <param name="userName">The name.</param>
    /// <param name="password">The password. The caller owns it, and wipes it when no more connections are to be made.</param>
    /// <param name="actAs">The user to act as, if the server grants that; null for the user itself.</param>
    /// <param name="channelBinding">Whether the login must be bound to the channel.</param>
    /// <param name="minIterations">
    /// The lowest iteration count for which the client sends a proof, <see cref="ScramVerifier.MinIterations"/> (4,096) by default. A
    /// server that asks for fewer is rejected with <see cref="RejectionReason.IterationCountOutOfRange"/> before anything is derived.
    /// </param>
    /// <remarks>
    /// An impostor that the client accepts as its server can test passwords offline against the one proof that it gets, and chooses the
    /// cost of each test (RFC 5802 §9). So the minimum rises to the count that the server of that name has used before, once it has proven
    /// itself: fewer are then <see cref="RejectionReason.IterationCountLowered"/>. It is remembered only in the returned object, for the
    /// 256 servers that were seen last: keep one object for a user, and create a new one after the server's verifiers were given fewer
    /// iterations on purpose. Safe for use from many threads.
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="password"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="userName"/> or <paramref name="actAs"/> is not a valid user name.</exception>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="minIterations"/> is below <see cref="ScramVerifier.MinIterations"/> or above <see cref="ScramVerifier.MaxIterations"/>.
    /// </exception>
    public static ClientCredentials WithPassword(
        string userName,
        Password password,
        string? actAs = null,
        ChannelBindingPolicy channelBinding = ChannelBindingPolicy.WhereItExists,
        int minIterations = ScramVerifier.MinIterations)
    {
        ArgumentNullException.ThrowIfNull(password);
        ArgumentOutOfRangeException.ThrowIfLessThan(minIterations, ScramVerifier.MinIterations);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minIterations, ScramVerifier.MaxIterations);
        return new ClientCredentials(new ScramClient(
            UserNames.Prepare(userName),
            password,
            UserNames.ToOwnIdentity(actAs),
            channelBinding,
            [ScramHash.Sha512, ScramHash.Sha256],
            minIterations));
    }

    /// <inheritdoc cref="WithPassword(string, Password, string?, ChannelBindingPolicy, int)"/>
    /// <remarks>A string cannot be wiped; use a <see cref="Password"/> where that matters.</remarks>
    public static ClientCredentials WithPassword(string userName, string password) => WithPassword(userName, Password.From(password));

    /// <summary>A name and a password that is sent to the server as it is (PLAIN, RFC 4616). Only for servers that know nothing better.</summary>
    /// <remarks>The holder of any certificate that this client accepts can obtain the password.</remarks>
    /// <exception cref="ArgumentNullException"><paramref name="password"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="userName"/> or <paramref name="actAs"/> is not a valid user name.</exception>
    public static ClientCredentials DangerouslyWithPasswordInPlain(string userName, Password password, string? actAs = null)
    {
        ArgumentNullException.ThrowIfNull(password);
        var name = UserNames.Prepare(userName);
        var identity = UserNames.ToOwnIdentity(actAs);
        return new ClientCredentials(new OneMessage(PlainServer.Name, (_, _) => ValueTask.FromResult<byte[]>(
            [.. Encoding.UTF8.GetBytes(identity ?? string.Empty), 0, .. Encoding.UTF8.GetBytes(name), 0, .. password.Utf8])));
    }

    /// <summary>
    /// A bearer token (OAUTHBEARER, RFC 7628). Bind it to the client's certificate (RFC 8705); otherwise whatever party obtains it can log
    /// in with it.
    /// </summary>
    /// <param name="token">
    /// Returns the current token for each login. <c>TokenSource.GetAsync</c> of the package <c>MutualAuth.Tokens</c> is one, which renews it.
    /// </param>
    /// <param name="actAs">The user to act as, if the server grants that; null for the token's user.</param>
    /// <exception cref="ArgumentNullException"><paramref name="token"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="actAs"/> is not a valid name.</exception>
    public static ClientCredentials WithToken(Func<CancellationToken, ValueTask<string>> token, string? actAs = null)
    {
        ArgumentNullException.ThrowIfNull(token);
        return WithToken((_, cancellationToken) => token(cancellationToken), actAs);
    }

    /// <summary>
    /// A bearer token (OAUTHBEARER, RFC 7628) for the connection on which it is sent: bound to the certificate that we have shown there (RFC 8705),
    /// also where our source has replaced that since.
    /// </summary>
    /// <param name="token">
    /// Returns the token for each login, given <see cref="SaslClientContext.OwnIdentity"/> and the server. <c>TokenSource.GetForAsync</c> of the
    /// package <c>MutualAuth.Tokens</c> is one.
    /// </param>
    /// <param name="actAs">The user to act as, if the server grants that; null for the token's user.</param>
    /// <exception cref="ArgumentNullException"><paramref name="token"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="actAs"/> is not a valid name.</exception>
    /// <example><code>var credentials = Login.WithToken(tokens.GetForAsync);</code></example>
    public static ClientCredentials WithToken(Func<SaslClientContext, CancellationToken, ValueTask<string>> token, string? actAs = null)
    {
        ArgumentNullException.ThrowIfNull(token);
        var identity = UserNames.ToOwnIdentity(actAs);
        return new ClientCredentials(new OneMessage(
            OAuthBearerServer.Name,
            async (context, cancellationToken) => TokenMessage(identity, await token(context, cancellationToken).ConfigureAwait(false)),
            acknowledgesErrors: true));
    }

    /// <inheritdoc cref="WithToken(Func{CancellationToken, ValueTask{string}}, string?)"/>
    /// <exception cref="FormatException"><paramref name="token"/> is not a bearer token (RFC 6750 §2.1).</exception>
    public static ClientCredentials WithToken(string token)
    {
        ArgumentNullException.ThrowIfNull(token);
        return OAuthBearerServer.IsToken(token)
            ? WithToken((_, _) => ValueTask.FromResult(token))
            : throw new FormatException("Expected a bearer token (RFC 6750 §2.1), got something else.");
    }

    /// <summary>The client's certificate is its credential (EXTERNAL, RFC 4422 appendix A).</summary>
    /// <param name="actAs">The user to act as, if the server grants that; null for the certificate's user.</param>
    /// <exception cref="ArgumentException"><paramref name="actAs"/> is not a valid name.</exception>
    public static ClientCredentials WithCertificate(string? actAs = null)
    {
        var identity = UserNames.ToOwnIdentity(actAs) ?? string.Empty;
        return new ClientCredentials(new OneMessage(SaslMechanismNames.External, (_, _) => ValueTask.FromResult(Encoding.UTF8.GetBytes(identity))));
    }

    /// <summary>Custom mechanisms of the application, the favourite first.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static ClientCredentials With(params IEnumerable<ISaslClientMechanism> mechanisms)
    {
        ISaslClientMechanism[] all = [.. mechanisms];
        return all.Length == 0
            ? throw new ArgumentException("Expected at least one mechanism, got none.", nameof(mechanisms))
            : new ClientCredentials([.. all]);
    }

    private static byte[] TokenMessage(string? identity, string? token) => token is not null && OAuthBearerServer.IsToken(token)
        ? Encoding.UTF8.GetBytes($"{Gs2Header.Create('n', null, identity).Text}\u0001auth=Bearer {token}\u0001\u0001")
        : throw new FormatException("The source of tokens gave something that is not a bearer token (RFC 6750 §2.1).");

    /// <summary>A mechanism that sends a single message and learns nothing about the server. The message is wiped with the exchange.</summary>
    private sealed class OneMessage(
        string name, Func<SaslClientContext, CancellationToken, ValueTask<byte[]>> message, bool acknowledgesErrors = false)
        : ISaslClientMechanism
    {
        public IEnumerable<string> NamesFor(SaslClientContext context) => [name];

        public ISaslClientExchange Begin(string name, SaslClientContext context) =>
            new Exchange(cancellationToken => message(context, cancellationToken), acknowledgesErrors);

        private sealed class Exchange(Func<CancellationToken, ValueTask<byte[]>> message, bool acknowledgesErrors)
            : ISaslClientExchange, ITokenErrorHolder
        {
            private byte[]? _message;

            public TokenError? TokenError { get; private set; }

            public async ValueTask<ReadOnlyMemory<byte>?> StartAsync(CancellationToken cancellationToken) =>
                _message = await message(cancellationToken).ConfigureAwait(false);

            // RFC 7628 §3.2.3: the error is acknowledged, and the refusal follows.
            public ValueTask<SaslClientStep> StepAsync(ReadOnlyMemory<byte> challenge, CancellationToken cancellationToken)
            {
                if (!acknowledgesErrors)
                {
                    return ValueTask.FromResult(
                        SaslClientStep.Refuse(new Rejection(RejectionReason.CredentialProtocolViolated, "an outcome", "a challenge")));
                }

                TokenError ??= TokenErrorJson.Read(challenge.Span);
                return ValueTask.FromResult(SaslClientStep.Answer(new byte[] { 1 }));
            }

            public SaslClientEnd Complete(ReadOnlyMemory<byte>? additionalData) => new(null, PeerProofs.None);

            public void Dispose() => CryptographicOperations.ZeroMemory(_message);
        }
    }
}
