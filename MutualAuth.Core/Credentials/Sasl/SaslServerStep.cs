using System.Collections.Immutable;
using System.Security.Claims;
using MutualAuth.Authorization;

namespace MutualAuth.Credentials;

/// <summary>The answer of a server's mechanism to a message: continue, accept, or reject.</summary>
public abstract class SaslServerStep
{
    private SaslServerStep()
    {
    }

    /// <summary>Asks for another message.</summary>
    /// <param name="message">What to send to the client; at most 16,384 octets.</param>
    public static SaslServerStep Continue(ReadOnlyMemory<byte> message) => new Challenged(message);

    /// <summary>The client is this user. Rules, limits and validators may still reject it.</summary>
    /// <param name="userName">The name whose credentials were shown, as SASLprep (RFC 4013) writes it; any other form of it is refused.</param>
    /// <param name="proofs">What was proven.</param>
    /// <param name="authorizationIdentity">The user that the client wants to act as; null for itself.</param>
    /// <param name="claims">What else is known of the user.</param>
    /// <param name="additionalData">Data to send with the success (RFC 4422 §3.6); null for none.</param>
    /// <param name="notAfter">When the credentials that were shown expire; null when they do not say.</param>
    /// <param name="facts">What the login relied on that may change later, so that it can be examined again.</param>
    /// <exception cref="ArgumentException"><paramref name="userName"/> is null or empty.</exception>
    public static SaslServerStep Succeed(
        string userName,
        PeerProofs proofs,
        string? authorizationIdentity = null,
        ImmutableArray<Claim> claims = default,
        ReadOnlyMemory<byte>? additionalData = null,
        DateTimeOffset? notAfter = null,
        ImmutableArray<LoginFact> facts = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(userName);
        return new Succeeded(userName, authorizationIdentity, proofs, claims, additionalData) { NotAfter = notAfter, Facts = facts };
    }

    /// <summary>The client is rejected. It learns a coarse reason only.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="rejection"/> is null.</exception>
    public static SaslServerStep Fail(Rejection rejection)
    {
        ArgumentNullException.ThrowIfNull(rejection);
        return new Failed(rejection);
    }

    internal static SaslServerStep Fail(RejectionReason reason, string expected, string presented, string? rule = null) =>
        Fail(new Rejection(reason, expected, presented) { Rule = rule });

    /// <summary>
    /// Asks for another message, although the client will be refused whatever it says (RFC 7628 §3.2.3). The attempt has failed already.
    /// </summary>
    internal static SaslServerStep ContinueToFail(ReadOnlyMemory<byte> message) => new Challenged(message) { HasFailed = true };

    internal sealed class Challenged(ReadOnlyMemory<byte> message) : SaslServerStep
    {
        internal bool HasFailed { get; init; }

        internal ReadOnlyMemory<byte> Message => message;
    }

    internal sealed class Succeeded(
        string userName, string? authorizationIdentity, PeerProofs proofs, ImmutableArray<Claim> claims, ReadOnlyMemory<byte>? additionalData)
            : SaslServerStep
    {
        internal string UserName => userName;

        internal string? AuthorizationIdentity => authorizationIdentity;

        internal ReadOnlyMemory<byte>? AdditionalData => additionalData;

        internal DateTimeOffset? NotAfter { get; init; }

        internal ImmutableArray<LoginFact> Facts { get; init; }

        internal bool HasProvenPassword => proofs.HasFlag(PeerProofs.Password);

        /// <summary>The same as whom this identity is.</summary>
        internal Succeeded ActingAs(string identity) =>
            new(userName, identity, proofs, claims, additionalData) { NotAfter = NotAfter, Facts = Facts };

        internal AuthenticatedUser ToUser(string mechanism) => new(userName, authorizationIdentity, mechanism, proofs, claims, NotAfter, Facts);
    }

    internal sealed class Failed(Rejection rejection) : SaslServerStep
    {
        internal Rejection Rejection => rejection;

        /// <summary>The password was right, and is reported like a wrong one: a guesser must not learn it from the answer.</summary>
        internal bool IsToldAsWrong { get; init; }
    }
}
