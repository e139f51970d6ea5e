using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using MutualAuth.Authorization;
using MutualAuth.Certificates;
using MutualAuth.Errors;

namespace MutualAuth.Credentials;

/// <summary>
/// A server's reconnect credentials: after a full login a client gets one, and with it the user logs in again from elsewhere without password and
/// code, for a few hours. One object for a service.
/// </summary>
/// <remarks>
/// <para>A credential is worth something only to who holds the key of the client certificate that was shown at the full login, at the service that
/// issued it, on a connection whose server certificate has a channel binding, and together with a secret that is never sent to a server. It ends at
/// the latest 24 hours after the full login, however often it is renewed. It is refused while the user is disabled or removed, or has another
/// password or other second factors than at the full login: before you enable a user again, or put factors back, call
/// <see cref="RevokeAsync"/>. It may be used any number of times until then, on any number of connections of that key; <c>SessionLimits</c> bounds
/// these.</para>
/// <para>Nothing is kept for a credential at the server but its keys. Safe for use from many threads. Its owner disposes of it, after the
/// server.</para>
/// </remarks>
/// <example>
/// <code>
/// using var reconnects = new ReconnectCredentials(new ReconnectCredentialsOptions { Server = "vpn.example", Store = store });
/// var policy = Require.CertificateAndUser(SaslServer.Scram(store), reconnects.Mechanism);
/// </code>
/// </example>
public sealed class ReconnectCredentials : IDisposable
{
    /// <summary>How far apart the clocks of two instances may be.</summary>
    private static readonly TimeSpan s_clockSkew = TimeSpan.FromMinutes(1);

    private readonly ReconnectCredentialsOptions _options;
    private readonly ISecondFactorStore _factors;
    private readonly ReconnectKeys _keys;
    private readonly ImmutableArray<byte> _server;
    private readonly DateTimeOffset _madeAt;
    private readonly long _madeAtTick;

    /// <summary>Makes the reconnect credentials of a service.</summary>
    /// <param name="options">What they are for, how long they last, and what they stand for.</param>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="ArgumentException">The options contradict themselves; the message lists every problem.</exception>
    public ReconnectCredentials(ReconnectCredentialsOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var problems = string.Join(' ', options.Problems());
        if (problems.Length > 0)
        {
            throw new ArgumentException(problems, nameof(options));
        }

        _options = options;
        _factors = options.Factors ?? (ISecondFactorStore)options.Store;
        _keys = new ReconnectKeys(options.Key.AsSpan(), options.OtherKey.AsSpan());
        _server = [.. SHA256.HashData(Encoding.UTF8.GetBytes(options.Server))];
        _madeAt = options.TimeProvider.GetUtcNow();
        _madeAtTick = options.TimeProvider.GetTimestamp();
        Mechanism = new ReconnectServer(this);
    }

    /// <summary>
    /// The mechanism by which clients log in with a credential (<c>RECONNECT-PLUS</c>), for the first mechanisms of a policy that asks for
    /// certificates, beside that of the full login. It is offered to clients that have shown a certificate, never in a step-up, never in a
    /// re-authentication, and never as a second factor.
    /// </summary>
    public ISaslServerMechanism Mechanism { get; }

    internal PeerProofs StandsFor => _options.StandsFor;

    internal ICredentialStore Store => _options.Store;

    /// <summary>Seals with a random key from now on. What the key before it sealed is accepted until the next call.</summary>
    /// <remarks>For one instance alone: the others do not know the new key.</remarks>
    /// <exception cref="ObjectDisposedException">It has been disposed of.</exception>
    public void RotateKey() => _keys.Rotate();

    /// <summary>
    /// Puts these keys in the place of both. Where several instances share them, give the next key to all as <paramref name="otherKey"/> first, and
    /// then have all seal with it: so each accepts what any of them issues.
    /// </summary>
    /// <param name="key">The key that seals from now on; it is copied.</param>
    /// <param name="otherKey">The one that is also accepted; it is copied. Empty for none.</param>
    /// <exception cref="ArgumentException">A key does not have <see cref="ReconnectCredentialsOptions.KeyLength"/> random octets.</exception>
    /// <exception cref="ObjectDisposedException">It has been disposed of.</exception>
    public void ReplaceKeys(ReadOnlySpan<byte> key, ReadOnlySpan<byte> otherKey = default)
    {
        if (!ReconnectCredentialsOptions.IsKey(key) || !(otherKey.IsEmpty || ReconnectCredentialsOptions.IsKey(otherKey)))
        {
            throw new ArgumentException($"Expected {ReconnectCredentialsOptions.KeyLength} random octets.", nameof(key));
        }

        _keys.Replace(key, otherKey);
    }

    /// <summary>
    /// Revokes all credentials of a user, at all instances that share the store, and ends the connections that one of them opened. The user logs in
    /// with password and code again, and gets new ones; a connection that was open before gets none.
    /// </summary>
    /// <remarks>
    /// It leaves a mark among the second factors of the user, of the kind <c>reconnect</c>. Who removes the mark within 24 hours brings back what it
    /// revoked. Before and after are told apart by the clocks of the instances: a connection at another one, whose clock is ahead, that was
    /// opened before the call by less than that may still get a new one. End the user's connections, with <c>MutualTlsServer.EndWhere</c>, as well.
    /// </remarks>
    /// <param name="userName">The user, in any form.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException"><paramref name="userName"/> is no name for a user.</exception>
    public ValueTask RevokeAsync(string userName, CancellationToken cancellationToken = default) =>
        _factors.SetFactorAsync(userName, ReconnectRevocation.At(Now()), cancellationToken);

    /// <summary>Wipes the keys: nothing is accepted any more, and nothing issued.</summary>
    public void Dispose() => _keys.Dispose();

    /// <summary>Issues one to the client of a connection.</summary>
    /// <param name="user">The user of the connection.</param>
    /// <param name="certificate">The certificate that the client has shown; null for none.</param>
    /// <param name="openedAt">When the connection was opened, and so the login made.</param>
    /// <param name="policy">The server's policy, which knows what of a factor stays the same.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal async ValueTask<ReconnectIssue> IssueAsync(
        AuthenticatedUser user, Certificate? certificate, DateTimeOffset openedAt, CredentialPolicy policy, CancellationToken cancellationToken)
    {
        if (certificate is null)
        {
            return ReconnectIssue.Refused(Unavailable("a client that has shown a certificate", "one without"));
        }

        if (Describe(user, certificate, openedAt) is not { } content)
        {
            return ReconnectIssue.Refused(Unavailable(
                "a login by a password of the store, and second factors of the store at most",
                $"one by {string.Join(", ", user.Mechanisms)}"));
        }

        if (FindFault(content) is { } over)
        {
            return ReconnectIssue.Refused(over);
        }

        var factors = await _factors.FindFactorsAsync(content.UserName, cancellationToken).ConfigureAwait(false);
        var digest = await ReconnectFact.DigestOfAsync(content.UserName, factors, IdentitiesOf(policy), cancellationToken).ConfigureAwait(false);
        content = content.Factors.IsEmpty ? content with { Factors = digest } : content;
        var lost = ReconnectFact.Examine(content, factors, digest)
            ?? FindMissing(content, factors)
            ?? (await FindUserAsync(content, cancellationToken).ConfigureAwait(false)).Objection;
        return lost is null ? Issue(content) : ReconnectIssue.Refused(lost);
    }

    /// <summary>Judges what a client has shown.</summary>
    /// <returns>The user's facts, or the objection.</returns>
    internal async ValueTask<(ReconnectContent? Content, ImmutableArray<LoginFact> Facts, Rejection? Objection)> JudgeAsync(
        ReadOnlyMemory<byte> shown, SaslServerContext context, CancellationToken cancellationToken)
    {
        var (content, objection) = Open(shown.Span, context);
        if (content is null || objection is not null)
        {
            return (null, [], objection);
        }

        if (await context.FindLockOutAsync(content.UserName, cancellationToken).ConfigureAwait(false) is { } lockedOut)
        {
            return (null, [], lockedOut);
        }

        var (verifier, unknown) = await FindUserAsync(content, cancellationToken).ConfigureAwait(false);
        if (verifier is null)
        {
            return (null, [], unknown);
        }

        var factors = await _factors.FindFactorsAsync(content.UserName, cancellationToken).ConfigureAwait(false);
        var identities = IdentitiesOf(context.Policy);
        var digest = await ReconnectFact.DigestOfAsync(content.UserName, factors, identities, cancellationToken).ConfigureAwait(false);
        if ((ReconnectFact.Examine(content, factors, digest) ?? FindMissing(content, factors)) is { } lost)
        {
            return (null, [], AsStale(lost));
        }

        return (
            content,
            [
                LoginFacts.Verifier(_options.Store, content.UserName, verifier),
                .. content.ShownFactors.Select(id => LoginFacts.SecondFactor(_factors, content.UserName, id)),
                new ReconnectFact(_factors, content with { Secret = [] }, identities),
            ],
            null);
    }

    /// <summary>When it is over, by what is configured now as well.</summary>
    internal DateTimeOffset EndOf(ReconnectContent content)
    {
        var end = content.LoginAt + _options.Lifetime;
        return end < content.NotAfter ? end : content.NotAfter;
    }

    /// <summary>The server's own proof: that it could open what the client has shown.</summary>
    internal static byte[] Answer(ReconnectContent content, ReadOnlySpan<byte> shown, ChannelBinding binding) => ReconnectWire.ServerProof(
        content.Secret.AsSpan(), binding, ReconnectWire.NonceOf(shown), ReconnectWire.CredentialOf(shown));

    /// <summary>Opens a credential and judges it by itself: nothing is looked up for one that is not whole, and not this client's.</summary>
    private (ReconnectContent? Content, Rejection? Objection) Open(ReadOnlySpan<byte> shown, SaslServerContext context)
    {
        if (!ReconnectWire.IsShown(shown))
        {
            return (null, Invalid("octets of its form"));
        }

        var (octets, isKnown) = _keys.Open(ReconnectWire.CredentialOf(shown));
        if (octets is null)
        {
            return (null, isKnown
                ? Invalid("one that a key of ours sealed")
                : Stale("one that was sealed by a key that is still in force", "one that was sealed by another key"));
        }

        var content = ReconnectContent.Read(octets);
        CryptographicOperations.ZeroMemory(octets);
        if (content is null)
        {
            return (null, Invalid("one of this version"));
        }

        var proof = ReconnectWire.ClientProof(
            content.Secret.AsSpan(), context.ChannelBinding!, ReconnectWire.NonceOf(shown), ReconnectWire.CredentialOf(shown));
        if (!CryptographicOperations.FixedTimeEquals(proof, ReconnectWire.ProofOf(shown)))
        {
            return (null, Invalid("the proof that the client has its secret, on this channel"));
        }

        if (!content.Server.AsSpan().SequenceEqual(_server.AsSpan()))
        {
            return (null, new Rejection(
                RejectionReason.ReconnectCredentialForAnotherServer, $"a credential for {SafeText.Quote(_options.Server)}", "one for another service")
            { Hint = "Two services share a key. Give each its own." });
        }

        return content.ClientKey.AsSpan().SequenceEqual(KeyOf(context.CertifiedPeer!.Certificate!).AsSpan())
            ? (content, FindFault(content))
            : (null, new Rejection(
                RejectionReason.ReconnectCredentialNotBound, "the client key of the full login", "another key")
            { Hint = $"The credential of {SafeText.Quote(content.UserName)} was taken from its device, or the device has a new key." });
    }

    /// <summary>What is wrong with the times; null for nothing.</summary>
    private Rejection? FindFault(ReconnectContent content)
    {
        var now = Now();
        return content.LoginAt > now + s_clockSkew
            ? Stale($"a full login before {now:O}", $"one at {content.LoginAt:O}")
            : now >= EndOf(content)
                ? Stale($"a full login less than {_options.Lifetime} ago", $"one at {content.LoginAt:O}")
                : null;
    }

    private async ValueTask<(ScramVerifier? Verifier, Rejection? Objection)> FindUserAsync(
        ReconnectContent content, CancellationToken cancellationToken)
    {
        const string Expected = "the user as at the full login";
        var stored = await _options.Store.FindAsync(content.UserName, cancellationToken).ConfigureAwait(false);
        if (stored is null || !string.Equals(stored.UserName, content.UserName, StringComparison.Ordinal))
        {
            return (null, Stale(Expected, "a user who was removed"));
        }

        if (stored.IsDisabled)
        {
            return (null, Stale(Expected, "a user who is disabled"));
        }

        foreach (var verifier in stored.Verifiers.IsDefault ? [] : stored.Verifiers)
        {
            if (Convert.FromHexString(VerifierFact.DigestOf(verifier)).AsSpan().SequenceEqual(content.Verifier.AsSpan()))
            {
                return (verifier, null);
            }
        }

        return (null, Stale(Expected, "a user with another password"));
    }

    private static Rejection? FindMissing(ReconnectContent content, ImmutableArray<StoredFactor> factors) =>
        content.ShownFactors.All(id => factors.Any(factor => factor.Id == id))
            ? null
            : Stale("the second factors that were shown at the full login", "a user who does not have one of them any more");

    /// <summary>
    /// What a credential says of this login; null where there is no such login that can be examined again. One by a credential says what that said:
    /// its end does not move.
    /// </summary>
    private ReconnectContent? Describe(AuthenticatedUser user, Certificate certificate, DateTimeOffset openedAt)
    {
        if (user.Facts.OfType<ReconnectFact>().FirstOrDefault() is { } earlier)
        {
            return ReferenceEquals(earlier.Source, _factors) ? earlier.Content with { Secret = NewSecret() } : null;
        }

        // Each exchange has relied on something that can be asked for again, and nothing else is known of the user.
        if (!user.Claims.IsEmpty
            || user.Facts.Length != user.Mechanisms.Length
            || user.Facts.OfType<VerifierFact>().ToArray() is not [var password] || !ReferenceEquals(password.Source, _options.Store)
            || user.Facts.Any(fact => fact is not VerifierFact && !(fact is SecondFactorFact && ReferenceEquals(fact.Source, _factors))))
        {
            return null;
        }

        var end = openedAt + _options.Lifetime;
        return new ReconnectContent
        {
            UserName = user.Name,
            ActsAs = user.ActsAs,
            LoginAt = openedAt,
            NotAfter = user.NotAfter is { } sooner && sooner < end ? sooner : end,
            Proofs = user.Proofs,
            ClientKey = KeyOf(certificate),
            Server = _server,
            Verifier = [.. Convert.FromHexString(password.Digest)],
            Factors = [],
            ShownFactors = [.. user.Facts.OfType<SecondFactorFact>().Select(fact => fact.FactorId)],
            Secret = NewSecret(),
        };
    }

    private ReconnectIssue Issue(ReconnectContent content)
    {
        var octets = content.Write();
        try
        {
            return ReconnectIssue.Of(ReconnectWire.WriteIssued(content, _keys.Seal(octets)), EndOf(content));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(octets);
        }
    }

    /// <summary>
    /// The time, which does not go back: by the wall clock, or by the steady one since we were made where that is later. A clock that is set back
    /// lengthens no credential's life here.
    /// </summary>
    private DateTimeOffset Now()
    {
        var (wall, steady) = (_options.TimeProvider.GetUtcNow(), _madeAt + _options.TimeProvider.GetElapsedTime(_madeAtTick));
        return wall > steady ? wall : steady;
    }

    private static ImmutableArray<IFactorIdentity> IdentitiesOf(CredentialPolicy policy) =>
        [.. policy.SecondFactors.Concat(policy.Mechanisms).OfType<IFactorIdentity>()];

    private static ImmutableArray<byte> NewSecret() => [.. RandomNumberGenerator.GetBytes(ReconnectWire.DigestLength)];

    private static ImmutableArray<byte> KeyOf(Certificate certificate) => [.. SHA256.HashData(certificate.SubjectPublicKeyInfo.Span)];

    private static Rejection Invalid(string expected) =>
        new(RejectionReason.ReconnectCredentialInvalid, expected, "another") { Rule = "docs/protocol.md §12.1" };

    private static Rejection Stale(string expected, string presented) =>
        new(RejectionReason.ReconnectCredentialNoLongerValid, expected, presented) { Hint = "The client logs in with password and code again." };

    private static Rejection AsStale(Rejection lost) => Stale(lost.Expected, lost.Presented);

    private static Rejection Unavailable(string expected, string presented) =>
        new(RejectionReason.ReconnectCredentialUnavailable, expected, presented);
}
