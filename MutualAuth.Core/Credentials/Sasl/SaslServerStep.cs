using System.Collections.Immutable;
using System.Security.Claims;
using MutualAuth.Authorization;

namespace MutualAuth.Credentials;

/// <summary>What a <see cref="SaslServerStep"/> is.</summary>
public enum SaslServerStepKind
{
    /// <summary>The mechanism asks for another message: <see cref="SaslServerStep.Message"/> is sent to the client.</summary>
    Continue = 1,

    /// <summary>The client is the user <see cref="SaslServerStep.UserName"/>.</summary>
    Succeed = 2,

    /// <summary>The client is rejected for <see cref="SaslServerStep.Rejection"/>.</summary>
    Fail = 3,
}

/// <summary>The answer of a server's mechanism to a message: continue, accept, or reject.</summary>
/// <remarks>
/// Its members can be read, so that a mechanism of the application's own can wrap another. A wrapper that changes nothing returns the step that it
/// got. Immutable.
/// </remarks>
public abstract class SaslServerStep
{
    private SaslServerStep()
    {
    }

    /// <summary>What it is.</summary>
    public abstract SaslServerStepKind Kind { get; }

    /// <summary>With <see cref="SaslServerStepKind.Continue"/>: what to send to the client. Otherwise empty.</summary>
    public ReadOnlyMemory<byte> Message { get; private protected init; }

    /// <summary>With <see cref="SaslServerStepKind.Succeed"/>: the name whose credentials were shown. Otherwise null.</summary>
    public virtual string? UserName => null;

    /// <summary>With <see cref="SaslServerStepKind.Succeed"/>: the user that the client wants to act as; null for itself.</summary>
    public string? AuthorizationIdentity { get; private protected init; }

    /// <summary>With <see cref="SaslServerStepKind.Succeed"/>: what was proven. Otherwise <see cref="PeerProofs.None"/>.</summary>
    public PeerProofs Proofs { get; private protected init; }

    /// <summary>With <see cref="SaslServerStepKind.Succeed"/>: what else is known of the user. Otherwise empty.</summary>
    public ImmutableArray<Claim> Claims { get; private protected init; } = [];

    /// <summary>With <see cref="SaslServerStepKind.Succeed"/>: the data to send with it (RFC 4422 §3.6); null for none.</summary>
    public ReadOnlyMemory<byte>? AdditionalData { get; private protected init; }

    /// <summary>With <see cref="SaslServerStepKind.Succeed"/>: when the credentials expire; null when they do not say.</summary>
    public DateTimeOffset? NotAfter { get; private protected init; }

    /// <summary>With <see cref="SaslServerStepKind.Succeed"/>: what the login relied on that may change later. Otherwise empty.</summary>
    public ImmutableArray<LoginFact> Facts { get; private protected init; } = [];

    /// <summary>With <see cref="SaslServerStepKind.Fail"/>: why. Otherwise null. It is not for the client.</summary>
    public virtual Rejection? Rejection => null;

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
        return new Succeeded(userName, proofs, authorizationIdentity, claims, additionalData, notAfter, facts);
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

    internal sealed class Challenged : SaslServerStep
    {
        internal Challenged(ReadOnlyMemory<byte> message) => Message = message;

        public override SaslServerStepKind Kind => SaslServerStepKind.Continue;

        internal bool HasFailed { get; init; }
    }

    internal sealed class Succeeded : SaslServerStep
    {
        private readonly string _userName;

        internal Succeeded(
            string userName,
            PeerProofs proofs,
            string? authorizationIdentity,
            ImmutableArray<Claim> claims,
            ReadOnlyMemory<byte>? additionalData,
            DateTimeOffset? notAfter,
            ImmutableArray<LoginFact> facts)
        {
            _userName = userName;
            Proofs = proofs;
            AuthorizationIdentity = authorizationIdentity;
            Claims = claims.IsDefault ? [] : claims;
            AdditionalData = additionalData;
            NotAfter = notAfter;
            Facts = facts.IsDefault ? [] : facts;
        }

        public override SaslServerStepKind Kind => SaslServerStepKind.Succeed;

        public override string UserName => _userName;

        internal bool HasProvenPassword => Proofs.HasFlag(PeerProofs.Password);

        /// <summary>The same as whom this identity is.</summary>
        internal Succeeded ActingAs(string identity) => new(UserName, Proofs, identity, Claims, AdditionalData, NotAfter, Facts);

        internal AuthenticatedUser ToUser(string mechanism) => new(UserName, AuthorizationIdentity, mechanism, Proofs, Claims, NotAfter, Facts);
    }

    internal sealed class Failed(Rejection rejection) : SaslServerStep
    {
        public override SaslServerStepKind Kind => SaslServerStepKind.Fail;

        public override Rejection Rejection => rejection;

        /// <summary>The password was right, and is reported like a wrong one: a guesser must not learn it from the answer.</summary>
        internal bool IsToldAsWrong { get; init; }

        /// <summary>It is told like every other refusal for credentials, whatever the reason.</summary>
        internal bool IsToldAlike { get; init; }
    }

    /// <summary>An exchange has succeeded, and the policy wants another. Sessions make it; mechanisms do not.</summary>
    internal sealed class Advanced : SaslServerStep
    {
        internal Advanced(Succeeded finished, SaslServerContext context, Dictionary<string, ISaslServerMechanism> mechanisms)
        {
            AdditionalData = finished.AdditionalData;
            Context = context;
            Mechanisms = mechanisms;
        }

        public override SaslServerStepKind Kind => SaslServerStepKind.Continue;

        /// <summary>That of the next exchange.</summary>
        internal SaslServerContext Context { get; }

        internal Dictionary<string, ISaslServerMechanism> Mechanisms { get; }
    }
}
