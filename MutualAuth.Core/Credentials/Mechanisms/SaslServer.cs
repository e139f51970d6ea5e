using System.Collections.Immutable;

namespace MutualAuth.Credentials;

/// <summary>Makes the mechanisms with which users log in at a server.</summary>
public static class SaslServer
{
    /// <summary>SCRAM-SHA-256 (RFC 7677) and its <c>-PLUS</c> form, against the verifiers of a store.</summary>
    public static ISaslServerMechanism Scram(ICredentialStore store) => Scram(store, ScramHash.Sha256);

    /// <summary>
    /// SCRAM with these hashes, the strongest first. Offer a hash only when every user has a verifier for it: clients choose the strongest.
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="store"/> is null.</exception>
    /// <exception cref="ArgumentException">There is no hash.</exception>
    public static ISaslServerMechanism Scram(ICredentialStore store, params IEnumerable<ScramHash> hashes)
    {
        ArgumentNullException.ThrowIfNull(store);
        ImmutableArray<ScramHash> all = [.. hashes];
        return all.IsEmpty ? throw new ArgumentException("Expected at least one hash, got none.", nameof(hashes)) : new ScramServer(store, all);
    }

    /// <summary>
    /// PLAIN (RFC 4616): the server sees the password, and derives a key from it at each login. For clients that know nothing better.
    /// </summary>
    /// <remarks>It is not bound to the channel: an impostor that a client accepts as this server obtains its password.</remarks>
    /// <exception cref="ArgumentNullException"><paramref name="store"/> is null.</exception>
    public static ISaslServerMechanism PasswordsInPlain(ICredentialStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        return new PlainServer(store);
    }

    /// <summary>PLAIN (RFC 4616), with passwords that a verifier checks, such as the one of <c>MutualAuth.Directories</c>.</summary>
    /// <remarks>
    /// It is not bound to the channel: an impostor that a client accepts as this server obtains its password. The limiter is asked before the
    /// verifier. <see cref="CredentialPolicy.MaxConcurrentChecks"/> bounds how many verifiers may block a thread, not how many may wait
    /// asynchronously: that bound is the verifier's own.
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="verifier"/> is null.</exception>
    public static ISaslServerMechanism PasswordsInPlain(IPasswordVerifier verifier)
    {
        ArgumentNullException.ThrowIfNull(verifier);
        return new PlainVerifierServer(verifier);
    }

    /// <summary>OAUTHBEARER (RFC 7628) with tokens that are bound to the client's certificate (RFC 8705): a stolen one is worth nothing.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="validator"/> is null.</exception>
    public static ISaslServerMechanism BoundTokens(ITokenValidator validator)
    {
        ArgumentNullException.ThrowIfNull(validator);
        return new OAuthBearerServer(validator, acceptsUnbound: false);
    }

    /// <summary>OAUTHBEARER with tokens that need not be bound. One that is bound to a certificate still counts with that certificate only.</summary>
    /// <remarks>A stolen unbound token can be used by the thief until it expires.</remarks>
    /// <exception cref="ArgumentNullException"><paramref name="validator"/> is null.</exception>
    public static ISaslServerMechanism DangerouslyUnboundTokens(ITokenValidator validator)
    {
        ArgumentNullException.ThrowIfNull(validator);
        return new OAuthBearerServer(validator, acceptsUnbound: true);
    }

    /// <summary>EXTERNAL (RFC 4422 appendix A): the certificate is the credential, and <paramref name="userOf"/> returns its user.</summary>
    /// <param name="userOf">
    /// Returns the user of a certificate, as SASLprep (RFC 4013) writes the name, or null when it has none. Must be pure and fast; an
    /// exception, or a name in another form, rejects the client.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="userOf"/> is null.</exception>
    public static ISaslServerMechanism Certificates(Func<AuthenticatedPeer, string?> userOf)
    {
        ArgumentNullException.ThrowIfNull(userOf);
        return new ExternalServer(userOf);
    }

    private sealed class ScramServer(ICredentialStore store, ImmutableArray<ScramHash> hashes) : ISaslServerMechanism, IUsesStore, INeverBlocks
    {
        private readonly string[] _plus = [.. hashes.Select(hash => hash.Mechanism + ScramMechanisms.Plus)];
        private readonly string[] _plain = [.. hashes.Select(hash => hash.Mechanism)];

        public ICredentialStore Store => store;

        public PeerProofs MayProve => PeerProofs.Password | PeerProofs.ChannelBinding;

        public IEnumerable<string> NamesFor(SaslServerContext context)
        {
            var hasBinding = context.ChannelBinding is not null;
            return context.ChannelBindingPolicy switch
            {
                ChannelBindingPolicy.DangerouslyOptional => hasBinding ? _plus.Concat(_plain) : _plain,
                ChannelBindingPolicy.WhereItExists => hasBinding ? _plus : _plain,
                _ => hasBinding ? _plus : [],
            };
        }

        public ISaslServerExchange Begin(string name, SaslServerContext context)
        {
            var isPlus = name.EndsWith(ScramMechanisms.Plus, StringComparison.Ordinal);
            var hash = ScramHash.ByMechanism(isPlus ? name.AsSpan(0, name.Length - ScramMechanisms.Plus.Length) : name);
            return new ScramServerExchange(hash!, isPlus, store, context);
        }
    }

    private sealed class ExternalServer(Func<AuthenticatedPeer, string?> userOf) : ISaslServerMechanism, ISaslServerExchange
    {
        private SaslServerContext? _context;

        public PeerProofs MayProve => PeerProofs.Certificate;

        public IEnumerable<string> NamesFor(SaslServerContext context) => context.CertifiedPeer is null ? [] : [SaslMechanismNames.External];

        public ISaslServerExchange Begin(string name, SaslServerContext context) => new ExternalServer(userOf) { _context = context };

        public async ValueTask<SaslServerStep> StepAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
        {
            var authorizationIdentity = message.IsEmpty ? null : ScramText.Decode(message.Span);
            if (authorizationIdentity is null && !message.IsEmpty)
            {
                return SaslServerStep.Fail(
                    RejectionReason.CredentialProtocolViolated,
                    "an authorization identity, or nothing",
                    $"{message.Length} octets",
                    "RFC 4422 appendix A");
            }

            var peer = _context!.CertifiedPeer!;
            var user = userOf(peer);
            if (await _context.AdmitAsync(user ?? string.Empty, cancellationToken).ConfigureAwait(false) is { } limited)
            {
                return SaslServerStep.Fail(limited);
            }

            return string.IsNullOrEmpty(user)
                ? SaslServerStep.Fail(RejectionReason.UserNotAllowed, "a certificate that belongs to a user", peer.Name)
                : SaslServerStep.Succeed(user, PeerProofs.Certificate, authorizationIdentity);
        }

        public void Dispose() => _context = null;
    }
}
