using System.Collections.Immutable;
using MutualAuth.Collections;

namespace MutualAuth.Credentials;

/// <summary>A server's requirements for its clients. <see cref="Require"/> creates it; <c>with</c> changes the details.</summary>
/// <remarks>
/// Immutable. The constructor that takes it reports contradictions, together with all others. Its stores and limiters are shared by all
/// connections.
/// </remarks>
public sealed record CredentialPolicy
{
    private readonly EquatableArray<ISaslServerMechanism> _mechanisms;
    private EquatableArray<ISaslServerMechanism> _secondFactors = new([]);
    private EquatableArray<byte> _decoySecret = new([]);

    internal CredentialPolicy(
        bool asksForCertificate, bool needsCertificate, bool needsUser, ImmutableArray<ISaslServerMechanism> mechanisms, string sentence)
    {
        AsksForCertificate = asksForCertificate;
        NeedsCertificate = needsCertificate;
        NeedsUser = needsUser;
        _mechanisms = new(mechanisms);
        Sentence = sentence;
    }

    /// <summary>
    /// Which users may log in, and with which certificate. Default: <see cref="UserRules.Any"/>, every user with correct credentials.
    /// </summary>
    public UserRule Users { get; init; } = Credentials.UserRules.Any;

    /// <summary>
    /// The mechanisms of the further exchanges of a login or a step-up, such as one-time codes and passkeys, the preferred one first. They are
    /// offered after the first exchange has proven the user, and only where <see cref="LoginFactors"/> or <see cref="StepUpFactors"/> is not met
    /// without them. A login is at most three exchanges. Default: none.
    /// </summary>
    /// <remarks>
    /// Being asked for a second factor tells a client that its password was right. Each wrong second factor is a failure of the user for
    /// <see cref="AttemptLimiter"/> and <see cref="MaxConsecutiveFailures"/>, and only the success of the whole login clears the counts.
    /// </remarks>
    public ImmutableArray<ISaslServerMechanism> SecondFactors
    {
        get => _secondFactors.Items;
        init => _secondFactors = new(value);
    }

    /// <summary>What a login must prove, in one exchange or several. Default: <see cref="FactorRequirement.Any"/>, one exchange.</summary>
    /// <remarks>A client whose certificate suffices (<see cref="Require.CertificateOrUser"/>) and that does not log in is not asked.</remarks>
    public FactorRequirement LoginFactors { get; init; } = FactorRequirement.Any;

    /// <summary>
    /// What a step-up must prove, unless it says so itself. Default: <see cref="FactorRequirement.Any"/>, one exchange, which is bound to the
    /// transaction.
    /// </summary>
    public FactorRequirement StepUpFactors { get; init; } = FactorRequirement.Any;

    /// <summary>Whether a user (first) may act as another (second; the authorization identity of RFC 4422). Default: no user may.</summary>
    public ActAsRule? MayActAs { get; init; }

    /// <summary>Whether passwords must be bound to the channel. Default: <see cref="ChannelBindingPolicy.WhereItExists"/>.</summary>
    public ChannelBindingPolicy ChannelBinding { get; init; } = ChannelBindingPolicy.WhereItExists;

    /// <summary>
    /// Slows password guessing down. Default: one <see cref="BackoffAttemptLimiter"/> for all servers over the same store object and clock.
    /// </summary>
    public IAttemptLimiter? AttemptLimiter { get; init; }

    /// <summary>
    /// The number of consecutive failed logins of one user, whatever the time between them (NIST SP 800-63B-4 §3.2.2). From then on the user
    /// can log in only from a known place, with the same accepted certificate or from the same address as an earlier login; elsewhere even
    /// the right password is <see cref="RejectionReason.AttemptsLimited"/>. Such a success, and an operator
    /// (<see cref="IFailureCountingStore.ClearFailuresAsync"/>), clear the count. Kept across restarts by stores that are
    /// <see cref="IFailureCountingStore"/>, otherwise in this process. Tokens and <c>EXTERNAL</c> are not affected. 1 to 1,000,000; default
    /// 100.
    /// </summary>
    public int MaxConsecutiveFailures { get; init; } = 100;

    /// <summary>
    /// Locks users out after a few failures in a row, for a time or until an operator unlocks, and says who is told. Default: null,
    /// <see cref="MaxConsecutiveFailures"/> alone.
    /// </summary>
    public LockOutPolicy? LockOut { get; init; }

    /// <summary>
    /// Has every refusal for credentials look alike: <see cref="PublicReason.CredentialsWrong"/> for a wrong password, an unknown, disabled or locked
    /// user, one that must wait, and a wrong or missing second factor, this long after the client's message arrived, or a multiple of it where
    /// judging
    /// took longer. Set it to more than your stores need. From 10 milliseconds to 5 seconds, and less than the handshake's timeout. Default:
    /// null: users that are locked out or must wait are told <see cref="PublicReason.TryAgainLater"/>, and refused as soon as that is known.
    /// </summary>
    /// <remarks>
    /// The log has the reason in any case. Faults and overload on our side and violations of the protocol are told as ever. What it cannot hide: who
    /// is asked for a second factor had the right password. An attempt that must wait costs as much as any other.
    /// </remarks>
    public TimeSpan? UniformRefusalTime { get; init; }

    /// <summary>
    /// How many threads stores, token validators, limiters and rules may block at once while they check what a client sent: those of
    /// SQLite, for instance, block until the database answers. These threads are outside the pool; further checks wait for one, until their
    /// client's deadline. Asynchronous waits do not count. 1 to 1,024; default 32.
    /// </summary>
    public int MaxConcurrentChecks { get; init; } = 32;

    /// <summary>
    /// How many key derivations (PLAIN, recovery codes, <see cref="SaslServerContext.DeriveKeyAsync"/>) may run at once. Default: half the
    /// processors, at least one, so that a flood leaves room for honest handshakes.
    /// </summary>
    public int MaxConcurrentKeyDerivations { get; init; } = Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>How many may wait; further ones are rejected. Default: 64.</summary>
    public int MaxWaitingKeyDerivations { get; init; } = 64;

    /// <summary>How many one address may have, running and waiting. Default: 4. An IPv6 /64 counts as one address.</summary>
    public int MaxKeyDerivationsPerAddress { get; init; } = 4;

    /// <summary>
    /// The secret from which the salts of non-existent users are derived, so that they look real and stay the same. Default: random, for
    /// this process. Give all servers of a fleet the same 16 octets or more; otherwise a salt that changes reveals that the user does not
    /// exist.
    /// </summary>
    public ImmutableArray<byte> DecoySecret
    {
        get => _decoySecret.Items;
        init => _decoySecret = new(value);
    }

    /// <summary>
    /// The iteration count that non-existent users appear to have, whatever the hash. Set it to that of the real users. Default: null, the
    /// <see cref="ScramHash.DefaultIterations"/> of each hash, which new users have.
    /// </summary>
    public int? DecoyIterations { get; init; }

    /// <summary>The policy as a sentence, fit for a log.</summary>
    public override string ToString() => Sentence
        + (ReferenceEquals(LoginFactors, FactorRequirement.Any) ? string.Empty : $" who proves {LoginFactors}")
        + (ReferenceEquals(Users, Credentials.UserRules.Any) ? "." : $", and {Users}.");

    /// <summary>
    /// Whether the TLS handshake asks the client for a certificate. A certificate that is presented must be valid, whatever else is
    /// required.
    /// </summary>
    internal bool AsksForCertificate { get; }

    internal bool NeedsCertificate { get; }

    internal bool NeedsUser { get; }

    /// <summary>Whether users can log in at all.</summary>
    internal bool LetsUsersIn => !Mechanisms.IsEmpty;

    internal ImmutableArray<ISaslServerMechanism> Mechanisms => _mechanisms.Items;

    /// <summary>Whether a step-up can prove this.</summary>
    internal bool CanStepUpWith(FactorRequirement factors) => CanBeMet(factors, [.. FullLogins, .. SecondFactors]);

    private string Sentence { get; }

    /// <summary>The mechanisms that need no earlier login.</summary>
    private IEnumerable<ISaslServerMechanism> FullLogins => Mechanisms.Where(mechanism => mechanism is not INeedsEarlierLogin);

    private bool CanBeMet(FactorRequirement factors, ImmutableArray<ISaslServerMechanism> first)
    {
        ImmutableArray<PeerProofs> further = [.. SecondFactors.Select(mechanism => mechanism.MayProve)];
        var certificate = AsksForCertificate ? PeerProofs.Certificate : PeerProofs.None;
        return first.Any(mechanism => factors.CanBeMet(certificate | mechanism.MayProve, further, SaslLimits.MaxExchanges - 1));
    }

    internal IEnumerable<string> Problems()
    {
        if (Users is null)
        {
            yield return $"{nameof(Users)} must not be null.";
        }

        foreach (var problem in FactorProblems())
        {
            yield return problem;
        }

        if (!Enum.IsDefined(ChannelBinding))
        {
            yield return $"{nameof(ChannelBinding)} must be a policy; it is {ChannelBinding}.";
        }

        if (MaxConcurrentKeyDerivations is < 1 or > 1024 || MaxWaitingKeyDerivations is < 0 or > 65_536 || MaxKeyDerivationsPerAddress < 1)
        {
            yield return $"{nameof(MaxConcurrentKeyDerivations)} must be from 1 to 1,024, {nameof(MaxWaitingKeyDerivations)} from 0 to 65,536, "
                + $"{nameof(MaxKeyDerivationsPerAddress)} at least 1.";
        }

        if (MaxConsecutiveFailures is < 1 or > 1_000_000)
        {
            yield return $"{nameof(MaxConsecutiveFailures)} must be from 1 to 1,000,000; it is {MaxConsecutiveFailures}.";
        }

        foreach (var problem in LockOut?.Problems(MaxConsecutiveFailures) ?? [])
        {
            yield return problem;
        }

        if (UniformRefusalTime is { } uniform && (uniform < TimeSpan.FromMilliseconds(10) || uniform > TimeSpan.FromSeconds(5)))
        {
            yield return $"{nameof(UniformRefusalTime)} must be from 10 milliseconds to 5 seconds, or null; it is {uniform}.";
        }

        if (MaxConcurrentChecks is < 1 or > 1024)
        {
            yield return $"{nameof(MaxConcurrentChecks)} must be from 1 to 1,024; it is {MaxConcurrentChecks}.";
        }

        if (DecoyIterations is < ScramVerifier.MinIterations or > ScramVerifier.MaxIterations)
        {
            yield return $"{nameof(DecoyIterations)} must be from {ScramVerifier.MinIterations} to {ScramVerifier.MaxIterations}; it is "
                + $"{DecoyIterations}.";
        }

        if (DecoySecret.IsDefault || DecoySecret.Length is > 0 and < 16)
        {
            yield return $"{nameof(DecoySecret)} must have 16 octets or more; leave it empty for a random one.";
        }
    }

    private IEnumerable<string> FactorProblems()
    {
        if (SecondFactors.IsDefault || SecondFactors.Any(mechanism => mechanism is null) || LoginFactors is null || StepUpFactors is null)
        {
            yield return $"{nameof(SecondFactors)}, {nameof(LoginFactors)} and {nameof(StepUpFactors)} must not be null, nor hold a null.";
            yield break;
        }

        var asksForMore = !ReferenceEquals(LoginFactors, FactorRequirement.Any) || !ReferenceEquals(StepUpFactors, FactorRequirement.Any);
        if (!LetsUsersIn)
        {
            if (asksForMore || !SecondFactors.IsEmpty)
            {
                yield return $"{nameof(LoginFactors)}, {nameof(StepUpFactors)} and {nameof(SecondFactors)} need a policy that lets users log in.";
            }

            yield break;
        }

        if (SecondFactors.OfType<INeedsEarlierLogin>().FirstOrDefault() is { } second)
        {
            yield return $"{nameof(SecondFactors)} must not hold a {second.Maker}: it is a first mechanism.";
        }

        if (Mechanisms.OfType<INeedsEarlierLogin>().FirstOrDefault() is { } first && (!AsksForCertificate || !FullLogins.Any()))
        {
            yield return $"A {first.Maker} needs a policy that asks for certificates, and a mechanism for the full login beside it.";
            yield break;
        }

        if (!SecondFactors.IsEmpty && !asksForMore)
        {
            yield return $"There are {nameof(SecondFactors)}, and nothing requires them: set {nameof(LoginFactors)} or {nameof(StepUpFactors)}.";
        }

        if (!CanBeMet(LoginFactors, [.. FullLogins]))
        {
            yield return $"{nameof(LoginFactors)} can never be met: no mechanism and {nameof(SecondFactors)} prove {LoginFactors}.";
        }

        if (!CanStepUpWith(StepUpFactors))
        {
            yield return $"{nameof(StepUpFactors)} can never be met: no mechanism and {nameof(SecondFactors)} prove {StepUpFactors}.";
        }
    }
}
